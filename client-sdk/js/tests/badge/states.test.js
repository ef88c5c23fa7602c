/** What is shown of a level, as one thing after the other is told of it. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Good } from "../../src/badge/shelf.js";
import { FACT_MS, alike, shownOf } from "../../src/badge/states.js";

/** @param {"in_stock" | "low" | "out"} availability
 * @param {number} version */
const seen = (availability, version = 1) => ({ sku: "A", location: "web", version, availability, quantity: "1+" });

/** @param {("in_stock" | "low" | "out")[]} told
 * @returns {string[]} what is shown after each */
function shownAfter(...told) {
  /** @type {import("../../src/badge/states.js").Shown | undefined} */
  let fact;
  return told.map((availability) => (fact = shownOf(fact, seen(availability), true))?.state ?? "");
}

test("what was sold out and came is back, until it runs low or is sold out again", () => {
  assert.deepEqual(shownAfter("in_stock", "low", "in_stock"), ["in-stock", "low", "in-stock"]);
  assert.deepEqual(shownAfter("in_stock", "out", "in_stock", "in_stock"), ["in-stock", "out", "back", "back"]);
  assert.deepEqual(shownAfter("out", "low", "in_stock", "low"), ["out", "back", "back", "low"]);
  assert.deepEqual(shownAfter("out", "in_stock", "out", "low"), ["out", "back", "out", "back"]);
});

test("a level that never moved, or that nobody knows, is not said to be sold out", () => {
  assert.equal(shownOf(undefined, undefined, true), undefined);
  assert.equal(shownOf(undefined, seen("out", 0), true), undefined);
});

test("what may be old is shown as such, the newest there is, and only what was a fact can be back", () => {
  const stale = shownOf(undefined, seen("out"), false);
  assert.deepEqual([stale?.state, stale?.stale], ["out", true]);
  assert.equal(shownOf(undefined, seen("in_stock", 2), true)?.state, "in-stock");
  const fact = shownOf(undefined, seen("out"), true);
  const nothing = shownOf(fact, undefined, false);
  assert.deepEqual([nothing?.state, nothing?.stale, nothing?.seen.version], ["out", true, 1]);
  const later = shownOf(fact, seen("in_stock", 2), false);
  assert.deepEqual([later?.state, later?.stale, later?.seen.version], ["back", true, 2]);
});

test("only what can be seen makes a difference", () => {
  const one = shownOf(undefined, seen("low"), true);
  assert.ok(alike(one, shownOf(undefined, seen("low"), true)));
  assert.ok(!alike(one, shownOf(undefined, seen("low", 2), true)));
  assert.ok(!alike(one, shownOf(undefined, seen("low"), false)));
  assert.ok(!alike(one, undefined));
});

/** A view of a client that says what it is told to. */
function spoken() {
  const view = {
    state: "connecting",
    told: /** @type {ReturnType<typeof seen> | undefined} */ (undefined),
    get: () => view.told,
    subscribe: () => () => {},
    close: () => {},
  };
  return view;
}

test("a read counts until the stream speaks, and no longer than it may", () => {
  const good = new Good("web", "A");
  const view = (good.view = spoken());
  const shows = () => [good.shown?.state, good.shown?.stale, good.failed];
  good.look(0);
  assert.deepEqual(shows(), [undefined, undefined, false]);
  good.read(seen("low"), true, 1_000);
  assert.deepEqual(shows(), ["low", false, false]);
  good.look(1_000 + FACT_MS);
  assert.deepEqual(shows(), ["low", true, false]);
  Object.assign(view, { state: "live", told: seen("out", 2) });
  good.look(12_000);
  good.read(seen("low"), true, 12_000); // a slow answer of a cache
  assert.deepEqual(shows(), ["out", false, false]);
  view.state = "stale";
  good.look(12_001);
  assert.deepEqual(shows(), ["out", true, false]);
  Object.assign(view, { state: "live", told: seen("in_stock", 3) });
  good.look(12_002);
  assert.deepEqual(shows(), ["back", false, false]);
});

test("a hub that is behind is not believed, and a stream that is refused shows nothing by itself", () => {
  const behind = new Good("web", "A");
  behind.view = spoken();
  behind.read(seen("in_stock"), false, 0);
  assert.deepEqual([behind.shown?.state, behind.shown?.stale], ["in-stock", true]);
  const refused = new Good("web", "A");
  refused.view = { ...spoken(), state: "closed" };
  refused.look(0);
  assert.deepEqual([refused.shown, refused.failed], [undefined, true]);
});
