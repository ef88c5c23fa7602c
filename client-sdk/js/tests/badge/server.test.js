/** Servers that render pages load every module of them, this one too. */
import assert from "node:assert/strict";
import { test } from "node:test";

test("the element can be imported where there are no elements", async () => {
  assert.equal("customElements" in globalThis, false);
  const { StockBadge } = await import("../../src/badge/index.js");
  assert.ok(StockBadge.observedAttributes.includes("sku"));
});
