import assert from "node:assert/strict";
import test from "node:test";
import { applied, committed, POINTS_MAX, TAIL_MAX, withPoint } from "../../../console/pages/base/answers.js";
import { conditionOf } from "../../../console/pages/base/condition.js";
import { Frames } from "../../../console/pages/base/frames.js";
import { Offset, quantile, Samples } from "../../../console/pages/base/quantiles.js";

const row = (sku, available, more = {}) => ({ sku, location: "web", available, held: 0, committed_at: `2026-11-22T10:00:0${available}Z`, ...more });

test("rows take the place of those with the same key, and say which of their numbers moved which way", () => {
  const before = { at: "1", skus: [row("A", 5), row("B", 7)] };
  const after = applied("launch", before, { id: 1, at: "2", rows: [row("B", 6)] });
  assert.equal(after.at, "2");
  assert.equal(after.skus[0], before.skus[0], "what did not change is the same object");
  assert.deepEqual(after.skus[1].ticks, { available: { count: 1, way: "down" } });
  const whole = applied("launch", after, { id: 1, data: { at: "3", skus: [row("B", 9), row("C", 1)] } });
  assert.deepEqual(whole.skus[0].ticks, { available: { count: 2, way: "up" } });
  assert.equal(whole.skus[1].ticks, undefined, "what is new did not move");
});

test("only changes seen happening are measured: what the first answer brings may be days old", () => {
  const first = { skus: [row("A", 5)] };
  assert.deepEqual(committed("launch", null, first), []);
  assert.deepEqual(committed("launch", first, first), []);
  assert.deepEqual(committed("launch", first, { skus: [row("A", 4), row("N", 1)] }), [Date.parse("2026-11-22T10:00:04Z")]);
});

test("a tail and a chart stay as long as they may be", () => {
  const events = Array.from({ length: TAIL_MAX }, (_, seq) => ({ seq }));
  const after = applied("log", { events, skipped: 0 }, { id: 1, rows: [{ seq: "new" }], skipped: 3 });
  assert.deepEqual([after.events.length, after.events[0].seq, after.skipped], [TAIL_MAX, "new", 3]);
  let points = /** @type {{at: string}[]} */ ([]);
  for (let at = 0; at < POINTS_MAX + 5; at++) points = withPoint(points, { at: String(at).padStart(4, "0") });
  assert.deepEqual([points.length, points[0]?.at], [POINTS_MAX, "0005"]);
  assert.equal(withPoint(points, points.at(-1)), points);
});

test("whatever is not live is old, with the time at which it was true", () => {
  const at = "2026-11-22T10:00:00Z", since_ms = Date.parse(at);
  const live = conditionOf({ state: "live", since_ms, reason: "" }, { state: "live" }, at);
  assert.deepEqual([live.word, live.old], ["live", false]);
  const stale = conditionOf({ state: "live", since_ms, reason: "" }, { state: "stale", lag_ms: 2300 }, at);
  assert.deepEqual([stale.word, stale.old], ["behind", true]);
  assert.match(stale.text, /^stale by 2\.3 s, numbers as of \d\d:00:00$/);
  const cut = conditionOf({ state: "reconnecting", since_ms, reason: "cut" }, { state: "live" }, at);
  assert.ok(cut.old && /^reconnecting since \d\d:00:00, numbers as of/.test(cut.text));
  assert.equal(conditionOf({ state: "reconnecting", since_ms, reason: "cut" }, null, null).old, false, "nothing is shown that could be old");
});

test("five thousand messages between two frames are drawn once, and seen in the frame after it", () => {
  /** @type {(() => void)[]} */
  const requested = [];
  const seen = [];
  const frames = new Frames(() => seen.push("drawn"), (call) => void requested.push(call));
  for (let message = 0; message < 5_000; message++) frames.ask();
  frames.ask(() => seen.push("painted"));
  assert.equal(requested.length, 1);
  requested.shift()?.();
  assert.deepEqual(seen, ["drawn"]);
  requested.shift()?.();
  assert.deepEqual(seen, ["drawn", "painted"]);
  assert.equal(requested.length, 0, "nothing asks for frames when nothing changes");
});

test("the clock is corrected by the quickest answer", () => {
  const offset = new Offset();
  assert.equal(offset.best_ms, null);
  offset.answered(1_000, 6_050, 1_100);
  offset.answered(2_000, 7_400, 2_800);   // waited on the way back
  assert.deepEqual([offset.best_ms, offset.trip_ms], [5_000, 100]);
  offset.answered(3_000, 9_000, 2_000);   // our clock was set back meanwhile
  assert.equal(offset.best_ms, 5_000);
});

test("quantiles are of the last minute, and of nothing they are nothing", () => {
  const samples = new Samples(60_000, 3);
  assert.equal(quantile(samples.values(0), 0.5), null);
  for (const at of [0, 1_000, 2_000, 70_000]) samples.add(at, at);
  assert.deepEqual(samples.values(70_000), [70_000]);
  assert.equal(quantile([3, 1, 2], 0.5), 2);
});
