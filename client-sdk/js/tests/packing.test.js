// Many watchers, few messages: what is asked for, what is ended, and from where it goes on.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LEVELS, thresholds } from "../src/kind.js";
import { LIMITS, LINGER_MS, VISITOR_LIMITS, unwant, want } from "../src/packing.js";
import { Session } from "../src/session.js";
import { tidy } from "../src/tidy.js";

const WATCHER = { note() {} };
const EPOCH = "e";
const skusOf = (first, count) => Array.from({ length: count }, (_, number) => `S${first + number}`);
const level = (sku, version) => ({
  sku, location: "web", version, on_hand: version, reserved: 0, available: version, kind: "sale",
  committed_at: "2026-11-22T10:00:00.000000Z", shard: 0, seq: version,
});

/** A hub that has every sku at version 1, and serves at once what it is asked for. */
class Hub {
  constructor(session) {
    this.session = session;
    this.seq = 10;
    this.heard = [];
    this.subs = new Map();
  }

  connect(now_ms) {
    this.subs.clear();
    this.session.begin("token", now_ms);
    this.hear(now_ms);
  }

  /** What was said since, answered in its order. */
  hear(now_ms) {
    const texts = this.session.out;
    this.session.out = [];
    for (const text of texts) {
      const message = { now_ms, ...JSON.parse(text) };
      this.heard.push(message);
      this.answer(message);
    }
  }

  answer({ type, id, skus, since, sub }) {
    const say = (message) => assert.equal(this.session.receive(JSON.stringify(message), 0), undefined);
    if (type === "connect") say({ type: "connected", id, node: "h", epoch: EPOCH, heartbeat_s: 5, expires_at: null });
    if (type === "unsubscribe") assert.ok(this.subs.delete(sub), `subscription ${sub} is ended once`);
    if (type !== "subscribe") return;
    this.subs.set(id, skus);
    const { limits } = this.session;
    assert.ok(this.subs.size <= limits.packs, "a hub takes so many subscriptions");
    assert.ok(skus.length <= 1000, "of 1,000 skus each");
    assert.ok([...this.subs.values()].flat().length <= limits.skus, "and so many skus over all");
    say({ type: "subscribed", id, sub: id, recovered: since !== undefined });
    const levels = since ? [] : skus.map((sku) => level(sku, 1));
    say({ type: "snapshot", sub: id, levels, last: true, position: { epoch: EPOCH, seq: { 0: this.seq }, selection: `s${id}` } });
  }

  asked() {
    return this.heard.filter(({ type }) => type === "subscribe");
  }
}

function watching() {
  const session = new Session();
  session.tidy = tidy;
  const hub = new Hub(session);
  return { session, hub, feed: session.feed(LEVELS, "web", true) };
}

test("two hundred cards of one tick are one subscribe", () => {
  const { session, hub, feed } = watching();
  hub.connect(0);
  for (const sku of skusOf(0, 200)) want(feed, [sku], WATCHER);
  session.plan(1);
  hub.hear(1);
  assert.deepEqual(hub.asked().map(({ skus }) => skus), [skusOf(0, 200)]);
});

test("2,500 skus are three subscriptions, and after a reconnect three again, each from its position", () => {
  const { session, hub, feed } = watching();
  want(feed, skusOf(0, 2_500), WATCHER);
  hub.connect(0);
  assert.deepEqual(hub.asked().map(({ skus }) => skus.length), [1000, 1000, 500]);
  session.lost(null);
  hub.heard = [];
  hub.connect(1);
  assert.deepEqual(hub.asked().map(({ skus, since }) => [skus.length, since.seq[0]]), [[1000, 10], [1000, 10], [500, 10]]);
});

test("a single subscription goes on with the hub's fingerprint, several taken together vouch for themselves", () => {
  const { session, hub, feed } = watching();
  want(feed, ["A"], WATCHER);
  hub.connect(0);
  session.lost(null);
  hub.heard = [];
  hub.connect(1);
  assert.deepEqual(hub.asked()[0].since, { epoch: EPOCH, seq: { 0: 10 }, selection: "s2" });
  want(feed, ["B"], WATCHER);
  hub.seq = 20;
  session.plan(2);
  hub.hear(2);
  session.lost(null);
  hub.heard = [];
  hub.connect(3);
  assert.deepEqual(hub.asked().map(({ skus, since }) => [skus.sort(), since]), [[["A", "B"], { epoch: EPOCH, seq: { 0: 10 } }]]);
});

test("what was cut off in the middle of its first snapshot begins anew, the others go on", () => {
  const { session, hub, feed } = watching();
  want(feed, ["A"], WATCHER);
  hub.connect(0);
  want(feed, ["B"], WATCHER);
  session.plan(1);
  session.lost(null);
  hub.heard = [];
  hub.connect(2);
  assert.deepEqual(hub.asked().map(({ skus, since }) => [skus, since?.seq]), [[["A"], { 0: 10 }], [["B"], undefined]]);
});

test("what is wanted no more lingers, and who comes back to it asks for nothing", () => {
  const { session, hub, feed } = watching();
  want(feed, ["A"], WATCHER);
  hub.connect(0);
  unwant(feed, ["A"], WATCHER, 1_000);
  session.plan(1_000 + LINGER_MS - 1);
  want(feed, ["A"], WATCHER);
  session.plan(60_000);
  unwant(feed, ["A"], WATCHER, 60_000);
  hub.hear(60_000);
  assert.equal(hub.asked().length, 1);
  assert.equal(feed.entries.get("A").held.version, 1);
  session.plan(60_000 + LINGER_MS);
  hub.hear(60_000 + LINGER_MS);
  assert.equal(hub.heard.at(-1).type, "unsubscribe");
  assert.equal(feed.entries.size, 0);
  assert.equal(hub.subs.size, 0);
});

for (const [speed, cards_s, limits] of [
  ["ten thousand cards in a minute", 167, LIMITS], ["two hundred thousand", 3_333, LIMITS], ["ten thousand, as a visitor,", 167, VISITOR_LIMITS],
]) {
  test(`scrolling through ${speed} stays far below what a hub takes`, () => {
    const { session, hub, feed } = watching();
    session.limits = limits;
    hub.connect(0);
    const shown = 20, step_ms = 100;
    let first = 0;
    for (let now_ms = 0; now_ms <= 60_000; now_ms += step_ms) {
      const next = Math.round((now_ms * cards_s) / 1_000);
      unwant(feed, skusOf(first, shown), WATCHER, now_ms);
      want(feed, skusOf(next, shown), WATCHER);
      first = next;
      session.plan(now_ms);
      hub.hear(now_ms);
    }
    const messages = hub.heard.length;
    assert.ok(messages <= 100, `${messages} messages`);
    for (let now_ms = 60_000; now_ms <= 180_000; now_ms += 500) {
      session.plan(now_ms);
      hub.hear(now_ms);
    }
    for (const sku of skusOf(first, shown)) assert.equal(feed.entries.get(sku).held.version, 1);
    assert.equal(feed.entries.size, shown, "nothing lingers for ever");
    assert.ok(hub.subs.size <= 8, `${hub.subs.size} subscriptions are left of it`);
  });
}

test("what is left of many subscriptions is taken over by one, and no version is lost between them", () => {
  const { session, hub, feed } = watching();
  hub.connect(0);
  let now_ms = 0;
  for (let number = 0; number < 12; number++) {
    want(feed, [`S${number}`], WATCHER);
    session.plan((now_ms += 2_000));
    hub.hear(now_ms);
  }
  session.receive(JSON.stringify({ type: "level", ...level("S3", 7) }), now_ms);
  for (let round = 0; round < 60; round++) {
    session.plan((now_ms += 2_000));
    hub.hear(now_ms);
  }
  assert.ok(hub.subs.size <= 8, `${hub.subs.size} subscriptions`);
  const named = [...hub.subs.values()].flat().sort();
  assert.deepEqual(named, skusOf(0, 12).sort());
  assert.equal(feed.entries.get("S3").held.version, 7);
  for (const entry of feed.entries.values()) assert.ok(entry.pack.isComplete);
});

test("a heartbeat promises nothing to what is still being sent", () => {
  const { session, hub, feed } = watching();
  want(feed, ["A"], WATCHER);
  hub.connect(0);
  want(feed, ["B"], WATCHER);
  session.plan(1);
  const { id } = JSON.parse(session.out.at(-1));
  session.receive(JSON.stringify({ type: "subscribed", id, sub: id, recovered: false }), 1);
  session.receive(JSON.stringify({ type: "heartbeat", seq: { 0: 50 }, fresh: true, lag_ms: 1 }), 1);
  const positions = feed.packs.map(({ position }) => position?.seq[0]);
  assert.deepEqual(positions, [50, undefined]);
  session.lost(null);
  session.begin("token", 2);
  session.receive(JSON.stringify({ type: "connected", id: 1, node: "h", epoch: EPOCH, heartbeat_s: 5, expires_at: null }), 2);
  session.receive(JSON.stringify({ type: "subscribed", id: 2, sub: 2, recovered: true }), 2);
  session.receive(JSON.stringify({ type: "heartbeat", seq: { 0: 90 }, fresh: true, lag_ms: 1 }), 2);
  assert.equal(feed.packs[0].position.seq[0], 50);
});

test("a subscription that the hub cannot serve now is asked for again, one that it never will ends its watchers alone", () => {
  const { session, hub, feed } = watching();
  const other = session.feed(LEVELS, "berlin", true);
  want(other, ["A"], WATCHER);
  want(feed, ["A"], WATCHER);
  hub.connect(0);
  const [{ id: ofWeb }, { id: ofBerlin }] = [...hub.asked()];
  session.receive(JSON.stringify({ type: "error", id: ofWeb, code: "unavailable", message: "later" }), 1);
  session.receive(JSON.stringify({ type: "error", id: ofBerlin, code: "forbidden", message: "no" }), 1);
  hub.heard = [];
  session.plan(1_000);
  hub.hear(1_000);
  assert.deepEqual(hub.asked(), []);
  session.plan(3_000);
  hub.hear(3_000);
  assert.deepEqual(hub.asked().map(({ location }) => location), ["web"]);
  assert.equal(other.error?.name, "Forbidden");
  assert.equal(feed.error, undefined);
});

test("thresholds with ever new values leave nothing behind when nobody watches them any more", () => {
  const { session, hub } = watching();
  hub.answer = () => {};
  hub.connect(0);
  for (let turn = 1; turn <= 50; turn++) {
    const now_ms = turn * 2 * LINGER_MS;
    const feed = session.feed(thresholds({ at_most: turn }, false), "web", true);
    want(feed, ["A"], WATCHER);
    session.plan(now_ms);
    unwant(feed, ["A"], WATCHER, now_ms);
    session.plan(now_ms + LINGER_MS);
    hub.hear(now_ms);
  }
  assert.equal(session.feeds.size, 1, "that of the levels, which is there from the beginning");
});
