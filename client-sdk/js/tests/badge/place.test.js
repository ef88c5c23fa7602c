/** Which hub a script asks. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { hubAt, hubOf } from "../../src/badge/place.js";

const HUB = "https://hub.example";

test("the hub is where the script came from, or the one that is named", () => {
  assert.equal(hubOf("https://hub.example/v1/badge.js"), HUB);
  assert.equal(hubOf("https://shop.example/stock/v1/badge.js?v=1"), "https://shop.example/stock");
  assert.equal(hubOf("https://cdn.example/badge.js?hub=https%3A%2F%2Fhub.example%2F"), HUB);
  assert.equal(hubOf("https://cdn.example/assets/badge-4f2.js"), undefined);
  assert.equal(hubOf("file:///srv/v1/badge.js"), undefined);
  assert.equal(hubAt("/stock/", "https://shop.example/products/tea"), "https://shop.example/stock");
  assert.equal(hubAt("javascript:alert(1)", HUB), undefined);
  assert.equal(hubAt("https://", HUB), undefined);
});
