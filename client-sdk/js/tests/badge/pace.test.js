/** A page may change a hundred times a second: whoever listens hears the newest, calmly. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { EVERY_MS, Pace, TOGETHER_MAX } from "../../src/badge/pace.js";

test("the first is said at once, what follows no sooner than it may", () => {
  const pace = new Pace();
  assert.equal(pace.wait_ms(0), undefined);
  pace.offer("A", "A: Sold out");
  assert.equal(pace.wait_ms(0), 0);
  assert.equal(pace.take(0), "A: Sold out");
  assert.equal(pace.wait_ms(0), undefined);
  pace.offer("A", "A: Few left");
  assert.equal(pace.wait_ms(1_000), EVERY_MS - 1_000);
  pace.offer("B", "B: Sold out");
  pace.offer("A", "A: Sold out");
  assert.equal(pace.wait_ms(EVERY_MS + 1), 0);
  assert.equal(pace.take(EVERY_MS + 1), "B: Sold out. A: Sold out");
  pace.offer("A", "A: Back");
  assert.equal(pace.wait_ms(EVERY_MS + 2), EVERY_MS - 1);
});

test("however many wait, only the newest few are said", () => {
  const pace = new Pace();
  for (let number = 0; number < 1_000; number++) pace.offer(`${number % 100}`, `${number}`);
  assert.deepEqual(pace.take(0).split(". "), ["997", "998", "999"]);
  assert.equal(TOGETHER_MAX, 3);
});
