import assert from "node:assert/strict";
import test from "node:test";
import { askedFor, inSight, MARGIN, moved, scrolledTo } from "../../../console/pages/base/rows.js";
import { addressOf, PAGES, routeOf, titleOf } from "../../../console/pages/base/routes.js";

test("every row that can be seen is drawn, and few others, wherever one scrolls to", () => {
  for (let scrolled = 0; scrolled < 4_400_000; scrolled += 9_973) {
    const { first, count } = inSight(scrolled, 700, 44, 100_000);
    const top = Math.floor(scrolled / 44), bottom = Math.min(99_999, Math.floor((scrolled + 699) / 44));
    assert.ok(top >= 100_000 || (first <= top && first + count > bottom), `${scrolled}`);
    assert.ok(count <= 18 + 2 * MARGIN && first + count <= 100_000);
  }
  assert.deepEqual(inSight(9_999_999, 700, 44, 3), { first: 0, count: 3 }, "a search left few of many");
  assert.deepEqual(inSight(0, 700, 44, 0), { first: 0, count: 0 });
});

test("what is asked for contains what is in sight, and stays the same while one scrolls by a row", () => {
  const before = askedFor({ first: 41, count: 30 }, 20, 200), after = askedFor({ first: 42, count: 30 }, 20, 200);
  assert.deepEqual(before, { first: 40, count: 40 });
  assert.deepEqual(after, before);
  assert.equal(askedFor({ first: 0, count: 5_000 }, 20, 200).count, 200);
});

test("keys stay within the table, and scroll no further than needed", () => {
  assert.deepEqual(["ArrowUp", "ArrowDown", "PageDown", "End", "Home", "x"].map((key) => moved(key, 0, 10, 5)), [0, 1, 4, 4, 0, null]);
  assert.equal(moved("End", 0, 10, 0), null);
  assert.deepEqual([scrolledTo(5, 0, 440, 44), scrolledTo(10, 0, 440, 44), scrolledTo(2, 440, 440, 44)], [null, 44, 88]);
});

test("an address leads back to what it was made of, also where a sku looks like a path or a query", () => {
  for (const sku of ["..", "A&sku=B", "100%", "#", "‮x", "+", " "]) {
    const [path, query] = addressOf("level", { location: "a?b", sku }).split("?", 2);
    assert.deepEqual(routeOf(String(path), addressOf("level", { location: "a?b", sku }).slice(String(path).length)), { page: "level", args: { location: "a?b", sku } }, query);
  }
  assert.deepEqual(routeOf("/constructor", ""), { page: "launch", args: {} });
  assert.deepEqual(routeOf("/level", "?sku=A"), { page: "stock", args: {} });
  assert.deepEqual(PAGES.map(({ page }) => titleOf(routeOf(`/${page}`, ""))), PAGES.map(({ title }) => title));
});
