/** How what the public sees is read: few requests, the same addresses for the same goods. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { CHARACTERS_MAX, SKUS_MAX, addressesOf } from "../src/reads.js";

const HUB = "https://hub.example";

/** @param {number} count
 * @param {(number: number) => string} name */
const skus = (count, name = (number) => `sku-${number}`) => Array.from({ length: count }, (_, number) => name(number));

test("few are read one by one, as anything else that shows them", () => {
  const expected = [`${HUB}/v1/availability/web/A%20%C3%A9%3F`, `${HUB}/v1/availability/web/B`];
  assert.deepEqual(addressesOf(HUB, "web", ["B", "A é?", "B"]), expected);
  assert.deepEqual(addressesOf(HUB, "web", []), []);
});

test("two hundred are one request, in whatever order a page has them", () => {
  const [address, ...more] = addressesOf(HUB, "web", skus(200));
  assert.deepEqual(more, []);
  assert.deepEqual(addressesOf(HUB, "web", skus(200).reverse()), [address]);
  assert.equal(new URL(/** @type {string} */ (address)).searchParams.getAll("sku").length, 200);
});

test("no address is longer than servers take, and no sku is forgotten", () => {
  for (const name of [
    (/** @type {number} */ number) => `${number}`.padEnd(64, "x"),
    (/** @type {number} */ n) => `é${n}`.repeat(9),
  ]) {
    const addresses = addressesOf(HUB, "web", skus(1_000, name)).map((address) => new URL(address));
    assert.ok(addresses.every(({ href }) => href.length <= CHARACTERS_MAX));
    assert.ok(addresses.every(({ searchParams }) => searchParams.getAll("sku").length <= SKUS_MAX));
    const asked = addresses.flatMap(({ searchParams }) => searchParams.getAll("sku"));
    assert.deepEqual(asked.sort(), skus(1_000, name).sort());
  }
});

test("a name of dots is no step up in a path", () => {
  assert.deepEqual(addressesOf(HUB, "web", [".."]), [`${HUB}/v1/availability?location=web&sku=..`]);
  assert.deepEqual(addressesOf(HUB, ".", ["A"]), [`${HUB}/v1/availability?location=.&sku=A`]);
});
