// Tabs that share one connection.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { beat, level, live, made, onPage, pass, settle, sockets } from "./played_hub.js";

/** Tabs are told of each other by real messages and locks, which no clock of a test turns. */
async function until(isSo, what) {
  for (let turn = 0; !isSo(); turn++) {
    assert.ok(turn < 500, what);
    await settle();
  }
}

test("a tab that is left while it begins to lead keeps no other from a connection", async () => {
  await onPage(async ({ happen }) => {
    const options = { share: "left" };
    made(options).watch("web", ["A"]);
    happen("pagehide");
    await settle();
    made(options).watch("web", ["A"]);
    await until(() => sockets.some(({ isClosed }) => !isClosed), "the other one waits for a tab that sleeps");
  });
});

test("where locks are refused each tab has a connection of its own", async () => {
  const refused = mock.method(navigator.locks, "request", () => Promise.reject(new DOMException("denied", "SecurityError")));
  made({ share: "refused" }).watch("web", ["A"]);
  await until(() => sockets.length === 1, "it waits for a lock that nobody gives");
  refused.mock.restore();
});

test("what sharing needs is asked for again if it was not to be had", async () => {
  let fails = 1;
  const { BroadcastChannel } = globalThis;
  globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name) {
      if (fails-- > 0) throw new Error("not now");
      super(name);
    }
  };
  made({ share: "again" }).watch("web", ["A"]);
  await until(() => fails === 0, "sharing is tried");
  await pass(5_000);
  await until(() => sockets.length === 1, "one failure lasts for ever");
  globalThis.BroadcastChannel = BroadcastChannel;
});

test("that the tab that leads has no connection is no reason to do without WebSockets", async () => {
  const asked = [];
  const fetch = (name) => (url) => {
    asked.push(name);
    return Promise.reject(new TypeError(`${url}: fetch failed`));
  };
  const options = { share: "unconnected" };
  const leader = made({ ...options, fetch: fetch("leader") });
  leader.watch("web", ["A"]);
  await until(() => sockets.length === 1, "the first tab leads");
  made({ ...options, fetch: fetch("follower") }).watch("web", ["A"]);
  for (let second = 0; second < 40; second++) await pass(1_000);
  const before = sockets.length;
  leader.close();
  for (let tries = 0; sockets.length === before; tries++) {
    await pass(1_000);
    assert.ok(tries < 30, "the other tab leads, and does not connect");
  }
  assert.ok(!asked.includes("follower"));
});

test("a tab that joins while the hub is behind is not told that it is live", async () => {
  const options = { share: "behind" };
  made(options).watch("web", ["A"]);
  await until(() => sockets.length === 1, "the first tab leads");
  sockets[0].serve([level("A", 1)]);
  await pass(2_000);
  const known_ms = Date.now();
  sockets[0].say(beat());
  await pass(3_000);
  sockets[0].say(beat({ fresh: false, lag_ms: 3_000 }));
  const view = made(options).watch("web", ["A"]);
  await until(() => {
    mock.timers.tick(1);
    return view.state !== "connecting";
  }, "it has what the other one holds");
  assert.equal(view.state, "stale");
  assert.ok(Math.abs(view.known_ms - known_ms) < 1_000, "since when is said, too");
  sockets[0].say(beat());
  await until(() => view.state === "live", "the hub has caught up");
});

test("a tab that is turned away for good tells those that follow it, and fails at nothing", async () => {
  const failures = [], failed = (error) => failures.push(error);
  process.on("unhandledRejection", failed);
  const options = { share: "turned away" };
  made(options).watch("web", ["A"]);
  await until(() => sockets.length === 1, "the first tab leads");
  sockets[0].serve([level("A", 1)]);
  made(options).watch("web", ["B"]);
  await until(() => {
    mock.timers.tick(1);
    return sockets[0].sent.length;
  }, "it asks for what the other one watches");
  sockets[0].onclose({ code: 4003, reason: "" });
  for (let turn = 0; sockets.length === 1; turn++) {
    await pass(500);
    assert.ok(turn < 30, "the other tab does not lead");
  }
  process.off("unhandledRejection", failed);
  assert.deepEqual(failures, []);
});
