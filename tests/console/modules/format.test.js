import assert from "node:assert/strict";
import test from "node:test";
import { duration, milliseconds, percent, rate, short, signed, whole } from "../../../console/pages/base/format.js";
import { pieces, plain } from "../../../console/pages/base/marks.js";

test("what was not measured is never written as a number", () => {
  for (const write of [whole, rate, milliseconds, duration, short, signed]) {
    for (const nothing of [null, undefined, NaN]) assert.equal(write(nothing), "not known");
  }
  assert.equal(percent(3, null), "not known");
  assert.equal(percent(3, 0), "not known");
});

test("numbers are as exact as they are small, and grouped", () => {
  assert.deepEqual([whole(1234567), rate(0), rate(0.52), rate(1540.4), milliseconds(8.44), milliseconds(384.2)], ["1,234,567", "0", "0.5", "1,540", "8.4", "384"]);
  assert.deepEqual([signed(-2), signed(24), signed(0)], ["−2", "+24", "±0"]);
  assert.deepEqual([duration(0.412), duration(2.5), duration(32.2), duration(760), duration(3600), duration(90061)], ["412 ms", "2.5 s", "32 s", "12 min 40 s", "1 h", "1 d 1 h"]);
  assert.equal(percent(24, 50), "48 %");
});

test("characters that leave no mark are named, in their places", () => {
  assert.equal(plain("a\u200bb\u202ec"), "a[U+200B]b[U+202E]c");
  assert.deepEqual(pieces("Käse 🧀"), [{ text: "Käse 🧀", mark: false }]);
  for (const mark of ["\u0000", "\u00ad", "\u061c", "\u2066", "\ufeff", "\u{e0041}", "\u2028"]) assert.ok(pieces(`x${mark}`)[1]?.mark, mark);
});
