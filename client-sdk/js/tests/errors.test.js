/** Errors are told apart by class and by name, and carry their numbers. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Later, OutOfStock, Refused, StockwireError, Unavailable } from "../src/index.js";

test("an error is its class, what stands above it, and its name", () => {
  const error = new OutOfStock("2 wanted", { sku: "A-100", location: "web", requested: 2, available: 1 });
  assert.ok(error instanceof Refused && error instanceof StockwireError && error instanceof Error);
  assert.ok(!(error instanceof Later));
  assert.equal(String(error), "OutOfStock: 2 wanted");
  assert.deepEqual([error.requested, error.available, error.key], [2, 1, undefined]);
});

test("an error without numbers needs none", () => {
  assert.equal(new Unavailable("nobody there").retry_after_s, undefined);
});
