// The client with a hub that the test plays, and a clock that the test turns.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { StockClient } from "../src/client.js";

const TOKEN = "token";
const EPOCH = "e";
/** @type {FakeSocket[]} */
let sockets = [];
let clients = [];

class FakeSocket {
  sent = [];
  isClosed = false;
  constructor(url, protocols) {
    this.url = url;
    this.protocols = protocols;
    sockets.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.isClosed = true;
  }

  say(...messages) {
    for (const message of messages) this.onmessage({ data: JSON.stringify(message) });
  }

  /** Open, and all that was asked for answered with these levels. */
  serve(levels = [], { epoch = EPOCH, recovered = false, ...connected } = {}) {
    if (!this.sent.length) this.onopen({});
    this.say({ type: "connected", id: 1, node: "h", epoch, heartbeat_s: 5, expires_at: null, ...connected });
    this.answer(levels, { epoch, recovered });
  }

  answer(levels, { epoch = EPOCH, recovered = false } = {}) {
    for (const { type, id, view } of this.sent.splice(0)) {
      if (type !== "subscribe") continue;
      this.say({ type: "subscribed", id, sub: id, recovered });
      if (view) this.say({ type: "snapshot", sub: id, views: levels, last: true });
      else this.say({ type: "snapshot", sub: id, levels, last: true, position: { epoch, seq: { 0: 10 } } });
    }
  }
}

const level = (sku, version, more = {}) => ({
  sku, location: "web", version, on_hand: version, reserved: 0, available: version, kind: "sale",
  committed_at: "2026-11-22T10:00:00.000000Z", shard: 0, seq: version, ...more,
});
const beat = (more = {}) => ({ type: "heartbeat", seq: { 0: 11 }, fresh: true, lag_ms: 3, ...more });

function made(options = {}) {
  const client = new StockClient({ hubs: ["ws://hub/v1/stream"], getToken: () => TOKEN, WebSocket: FakeSocket, ...options });
  clients.push(client);
  return client;
}

const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

async function pass(ms) {
  for (let left = ms; left > 0; left -= 100) {
    mock.timers.tick(Math.min(100, left));
    await settle();
  }
}

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000_000 }));
afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
  sockets = [];
  mock.timers.reset();
});

/** Within a page: what a browser has and node has not. */
async function onPage(run) {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" }), window = new EventTarget();
  Object.assign(globalThis, {
    document: page,
    requestAnimationFrame: (frame) => setTimeout(frame, 16),
    cancelAnimationFrame: (number) => clearTimeout(number),
    addEventListener: window.addEventListener.bind(window),
  });
  const show = (state) => {
    page.visibilityState = state;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  try {
    await run({ show, happen: (type) => window.dispatchEvent(new Event(type)) });
  } finally {
    for (const name of ["document", "requestAnimationFrame", "cancelAnimationFrame", "addEventListener"]) delete globalThis[name];
  }
}

/** A client that is connected and watches these. */
async function live(levels = [level("A", 1)], options = {}) {
  const client = made(options);
  const view = client.watch("web", levels.map(({ sku }) => sku));
  await settle();
  sockets[0].serve(levels);
  await pass(1);
  return { client, view, socket: sockets[0] };
}

test("the hub is told with the upgrade whether a token will follow", async () => {
  for (const getToken of [() => TOKEN, undefined]) made({ getToken }).watch("web", ["A"], { view: "public" });
  await settle();
  const offered = sockets.map(({ protocols }) => protocols);
  assert.deepEqual(new Set(offered), new Set([["stockwire.v1", "stockwire.token"], "stockwire.v1"]));
});

test("a view says what is held, frozen, and calls a listener at once and then once for all that changed", async () => {
  const { view, socket } = await live([level("A", 1), level("B", 1)]);
  const told = [];
  const end = view.subscribe((_, changed) => told.push(changed.map(({ sku, version }) => [sku, version])));
  socket.say({ type: "level", ...level("A", 2) }, { type: "level", ...level("A", 3) }, { type: "level", ...level("B", 2) });
  socket.say({ type: "level", ...level("A", 2) });
  await pass(1);
  assert.deepEqual(told, [[["A", 1], ["B", 1]], [["A", 3], ["B", 2]]]);
  assert.ok(Object.isFrozen(view.get("A")));
  assert.equal(view.get("A").version, 3);
  assert.equal(view.get("C"), undefined);
  end();
  socket.say({ type: "level", ...level("A", 4) });
  await pass(1);
  assert.equal(told.length, 2);
});

test("a listener that throws breaks nothing and is not silent", async () => {
  const { view, socket } = await live();
  const shouted = mock.method(console, "error", () => {});
  const told = [];
  view.subscribe(() => {
    throw new Error("mine");
  });
  view.subscribe((_, changed) => told.push(changed.length));
  socket.say({ type: "level", ...level("A", 2) });
  await pass(1);
  assert.deepEqual(told, [1, 1]);
  assert.equal(shouted.mock.callCount(), 2);
  shouted.mock.restore();
});

test("an iteration that is slow gets the newest of each sku, and ends with the view", async () => {
  const { view, socket } = await live();
  const steps = view[Symbol.asyncIterator]();
  assert.deepEqual((await steps.next()).value.map(({ version }) => version), [1]);
  for (let version = 2; version < 100; version++) {
    socket.say({ type: "level", ...level("A", version) });
    await pass(1);
  }
  assert.deepEqual((await steps.next()).value.map(({ version }) => version), [99]);
  view.close();
  assert.equal((await steps.next()).done, true);
});

test("what one watcher asked for is not another's, although both are one subscription", async () => {
  const client = made();
  const one = client.watch("web", ["A"]), other = client.watch("web", ["B"]);
  await settle();
  sockets[0].serve([level("A", 1), level("B", 1)]);
  await pass(1);
  assert.deepEqual([one.get("A")?.version, one.get("B"), other.get("B")?.version], [1, undefined, 1]);
  assert.equal(sockets.length, 1);
});

test("silence is judged by the clock: a state is stale before any timer ran, and the connection is given up", async () => {
  const { view, socket } = await live();
  socket.say(beat());
  assert.equal(view.state, "live");
  const known_ms = view.known_ms;
  mock.timers.setTime(Date.now() + 11_000);
  assert.equal(view.state, "stale");
  await pass(2_000);
  assert.equal(view.state, "connecting");
  assert.equal(view.known_ms, known_ms);
  assert.ok(socket.isClosed);
  await pass(6_000);
  assert.equal(sockets.length, 2);
  assert.equal(view.get("A").version, 1, "what is held stays, as old");
});

test("a hub that says it is behind is stale since then, and what was known then is said", async () => {
  const { view, socket } = await live();
  socket.say(beat());
  await pass(5_000);
  const now_ms = Date.now();
  socket.say(beat({ fresh: false, lag_ms: 4_000 }));
  assert.deepEqual([view.state, view.lag_ms, view.known_ms], ["stale", 4_000, now_ms - 4_000]);
  socket.say(beat());
  assert.deepEqual([view.state, view.known_ms], ["live", now_ms]);
});

test("after a loss it comes back by itself from its position, and is live only with the snapshot", async () => {
  const { view, socket } = await live();
  socket.say(beat());
  socket.onclose({ code: 1012, reason: "" });
  assert.equal(view.state, "connecting");
  await pass(300);
  sockets[1].onopen({});
  assert.deepEqual(sockets[1].sent[1].since.seq, { 0: 11 });
  sockets[1].serve([], { recovered: true });
  assert.equal(view.state, "live");
});

for (const [code, name] of [[4003, "Forbidden"], [4001, "BadToken"], [1008, "StreamRefused"]]) {
  test(`after ${code} it does not come back for ever`, async () => {
    const { client, view, socket } = await live();
    socket.onclose({ code, reason: "" });
    await pass(5_000);
    // A token may have been revoked: another one is tried, once
    if (code === 4001) sockets[1].onclose({ code, reason: "" });
    await pass(60_000);
    assert.equal(sockets.length, code === 4001 ? 2 : 1);
    assert.deepEqual([client.state, view.state, view.error?.name], ["closed", "closed", name]);
  });
}

test("a hub that asks for a pause gets it, also when somebody looks meanwhile", async () => {
  const { client, socket } = await live();
  socket.say({ type: "disconnect", code: 1012, reason: "", reconnect: true, after_ms: 3_000 });
  await pass(2_900);
  assert.equal(sockets.length, 1);
  await pass(400);
  assert.equal(sockets.length, 2);
  assert.equal(client.state, "connecting");
});

test("a token is asked for once at a time, with a signal, and not for ever", async () => {
  const asked = [];
  const client = made({ getToken: ({ signal }) => new Promise(() => asked.push(signal)) });
  const view = client.watch("web", ["A"]);
  client.watch("web", ["B"]);
  await pass(9_900);
  assert.equal(asked.length, 1);
  assert.equal(asked[0].aborted, false);
  await pass(2_000);
  assert.equal(asked[0].aborted, true);
  assert.equal(asked.length, 2);
  assert.equal(view.state, "connecting");
  client.close();
  assert.equal(asked[1].aborted, true);
});

test("a token that cannot be had is asked for again, and none is sent in the meantime", async () => {
  let fails = 3;
  const client = made({ getToken: async () => (fails-- > 0 ? Promise.reject(new Error("offline")) : TOKEN) });
  client.watch("web", ["A"]);
  await pass(5_000);
  assert.equal(sockets.length, 1);
  sockets[0].onopen({});
  assert.equal(sockets[0].sent[0].token, TOKEN);
});

test("why no token can be had is told once, and can be read until there is one", async () => {
  const shouted = mock.method(console, "error", () => {});
  let offline = true;
  const client = made({ getToken: async () => (offline ? Promise.reject(new Error("offline")) : TOKEN) });
  client.watch("web", ["A"]);
  await pass(15_000);
  assert.deepEqual(shouted.mock.calls.map(({ arguments: [error] }) => error.message), ["offline"]);
  assert.deepEqual([client.error?.message, client.state], ["offline", "connecting"]);
  offline = false;
  await pass(6_000);
  sockets[0].serve([level("A", 1)]);
  assert.deepEqual([client.error, client.state], [undefined, "live"]);
  shouted.mock.restore();
});

test("a ledger that is away can be read of, and is nothing to shout about", async () => {
  const shouted = mock.method(console, "error", () => {});
  const client = made({ hubs: undefined, url: "http://ledger", fetch: () => Promise.reject(new TypeError("fetch failed")) });
  client.watch("web", ["A"]);
  await pass(3_000);
  assert.deepEqual([client.error?.name, client.error?.message, shouted.mock.callCount()], ["Unavailable", "fetch failed", 0]);
  shouted.mock.restore();
});

test("a way to a hub that hangs is given up, and another try made", async () => {
  let asked = 0;
  const client = made({ hubs: undefined, url: "http://ledger", fetch: () => new Promise(() => asked++) });
  client.watch("web", ["A"]);
  await pass(9_000);
  assert.equal(asked, 1);
  await pass(8_000);
  assert.equal(asked, 2);
});

test("a storage that throws keeps nobody from a connection", async () => {
  const refuse = () => {
    throw new Error("forbidden");
  };
  const { view } = await live([level("A", 1)], { storage: { getItem: refuse, setItem: refuse } });
  assert.equal(view.state, "live");
});

test("a visitor takes up nothing that a token's client stored, nor over it", async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) };
  await onPage(async ({ show }) => {
    await live([level("A", 7)], { storage });
    const stored = [...kept];
    show("hidden");
    show("visible");
    sockets = [];
    made({ storage, getToken: undefined }).watch("web", ["A"], { view: "public" });
    await settle();
    sockets[0].serve([{ sku: "A", location: "web", version: 7, availability: "low", quantity: "1+" }]);
    await pass(100);
    show("hidden");
    assert.equal(kept.size, stored.length + 2);
  });
});

test("a token is renewed before it ends, and one that ended meanwhile is fetched", async () => {
  let number = 0;
  const client = made({ getToken: () => `token ${++number}` });
  const view = client.watch("web", ["A"]);
  await settle();
  // By the hub's clock, whatever this machine's says
  sockets[0].serve([level("A", 1)], { expires_at: "2001-01-01T00:00:00.000000Z", expires_in_s: 20 });
  for (let second = 0; second < 17; second++) {
    sockets[0].say(beat());
    await pass(1_000);
  }
  assert.deepEqual(sockets[0].sent.filter(({ type }) => type === "refresh").map(({ token }) => token), ["token 2"]);
  sockets[0].onclose({ code: 4104, reason: "" });
  await pass(3_000);
  sockets[1].onopen({});
  assert.equal(sockets[1].sent[0].token, "token 3");
  assert.equal(view.state, "connecting");
});

test("a reload goes on from what was held, never across epochs, and broken storage counts for nothing", async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text) };
  await onPage(async ({ show }) => {
    await live([level("A", 7)], { storage });
    show("hidden");
  });
  const seen = [];
  for (const epoch of [EPOCH, "another"]) {
    sockets = [];
    const view = made({ storage }).watch("web", ["A"]);
    await settle();
    seen.push(view.get("A")?.version, view.state);
    sockets[0].onopen({});
    seen.push(sockets[0].sent[1].since?.seq[0]);
    sockets[0].say({ type: "connected", id: 1, node: "h", epoch, heartbeat_s: 5, expires_at: null });
    seen.push(view.get("A")?.version);
  }
  assert.deepEqual(seen, [7, "connecting", 10, 7, 7, "connecting", 10, undefined]);
  for (const text of ["{", "[]", "null", '{"epoch":1}', '{"epoch":"e","known_ms":1,"parts":{"web/level/true":"{}"}}']) {
    for (const key of kept.keys()) kept.set(key, text);
    sockets = [];
    const view = made({ storage }).watch("web", ["A"]);
    await settle();
    assert.equal(view.get("A"), undefined, text);
    assert.equal(sockets.length, 1, text);
  }
});

test("of storage that is broken in one place nothing outlives its epoch", async () => {
  const part = { type: "snapshot", sub: 0, levels: [level("A", 9)], last: true, position: { epoch: "old", seq: { 0: 9 } } };
  const parts = { "web/level/true": JSON.stringify(part), "berlin/level/true": "{" };
  const storage = { getItem: () => JSON.stringify({ epoch: "old", known_ms: 1, parts }), setItem: () => {} };
  const client = made({ storage });
  const view = client.watch("web", ["A"]);
  client.watch("berlin", ["B"]);
  await settle();
  sockets[0].serve([level("A", 1)]);
  assert.equal(view.get("A").version, 1);
});

test("a page that is hidden for long lets its connection go and comes back to it when it is looked at", async () => {
  await onPage(async ({ show, happen }) => {
    const { view, socket } = await live([level("A", 1)], { hiddenFor_ms: 60_000 });
    show("hidden");
    for (let second = 0; second < 59; second++) {
      socket.say(beat());
      await pass(1_000);
    }
    assert.equal(socket.isClosed, false);
    await pass(2_000);
    assert.equal(socket.isClosed, true);
    await pass(60_000);
    assert.equal(sockets.length, 1, "nobody looks: nobody connects");
    show("visible");
    await settle();
    assert.equal(sockets.length, 2);
    sockets[1].onopen({});
    assert.deepEqual(sockets[1].sent[1].since.seq, { 0: 11 });
    sockets[1].serve([], { recovered: true });
    assert.equal(view.state, "live");
    // Looked at again with a connection: it has to show that it lives
    show("hidden");
    show("visible");
    assert.equal(sockets[1].sent.at(-1).type, "probe");
    await pass(3_600);
    assert.equal(sockets[1].isClosed, true);
    await pass(300);
    assert.equal(sockets.length, 3);
    sockets[2].serve([], { recovered: true });
    happen("pagehide");
    assert.equal(sockets[2].isClosed, true, "or the page could not be kept for back");
    await pass(30_000);
    assert.equal(sockets.length, 3);
    happen("pageshow");
    await settle();
    assert.equal(sockets.length, 4);
    assert.equal(view.get("A").version, 1);
  });
});

test("a network that is back is tried at once, and a wait that the hub asked for is kept", async () => {
  await onPage(async ({ happen }) => {
    const { socket } = await live();
    mock.method(Math, "random", () => 0.999);
    socket.onclose({ code: 1006, reason: "" });
    happen("online");
    await settle();
    assert.equal(sockets.length, 2);
    sockets[1].onclose({ code: 4102, reason: "too many messages" });
    await pass(1_000);
    happen("online");
    await settle();
    assert.equal(sockets.length, 2);
    await pass(1_100);
    happen("online");
    await settle();
    assert.equal(sockets.length, 3);
    Math.random.mock.restore();
  });
});

test("a visitor for whom there is no place reads now and then, is not told that it is live, and tries again", async () => {
  const paths = [];
  const view_ = { sku: "A", location: "web", version: 3, availability: "low", quantity: "1+" };
  const fetch = async (url) => {
    paths.push(url);
    return Response.json({ views: [view_] }, { headers: { ETag: '"0a-3"' } });
  };
  const client = made({ getToken: undefined, fetch });
  assert.throws(() => client.watch("web", ["A"]), { name: "Invalid" });
  const view = client.watch("web", ["A"], { view: "public" });
  await settle();
  for (const turn of [0, 1]) {
    sockets[turn].onclose({ code: 4100, reason: "crowded" });
    await pass(4_000);
  }
  assert.equal(paths[0], "http://hub/v1/availability/web/A");
  assert.deepEqual([view.get("A")?.quantity, view.state], ["1+", "stale"]);
  const read = paths.length;
  await pass(10_000);
  assert.ok(paths.length - read <= 2, "about one read of it in five seconds");
  for (let second = 0; second < 125 && sockets.length < 3; second++) await pass(1_000);
  assert.equal(sockets.length, 3);
  sockets[2].serve([view_]);
  assert.equal(view.state, "live");
});

test("a page that watches nothing any more gives its place back, and gets one when it watches again", async () => {
  const { client, view, socket } = await live();
  view.close();
  for (let second = 0; second < 9; second++) {
    socket.say(beat());
    await pass(1_000);
  }
  assert.equal(socket.isClosed, false, "it lingers");
  await pass(3_000);
  assert.equal(socket.isClosed, true);
  await pass(30_000);
  assert.equal(sockets.length, 1);
  client.watch("web", ["A"]);
  await settle();
  assert.equal(sockets.length, 2);
});

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

test("a view that a listener closes while others are told stays closed", async () => {
  const client = made();
  const first = client.watch("web", ["A"]), second = client.watch("berlin", ["B"]);
  await settle();
  const [socket] = sockets;
  socket.onopen({});
  socket.say({ type: "connected", id: 1, node: "h", epoch: EPOCH, heartbeat_s: 5, expires_at: null });
  first.subscribe(() => first.error && second.close());
  socket.say({ type: "error", id: 2, code: "forbidden", message: "no" });
  assert.deepEqual([first.state, second.state], ["closed", "closed"]);
});

test("nothing is left of a client that is closed", async () => {
  const { client, view, socket } = await live();
  view.subscribe(() => {});
  client.close();
  client.close();
  assert.ok(socket.isClosed);
  assert.deepEqual([client.state, view.state], ["closed", "closed"]);
  await pass(60_000);
  assert.equal(sockets.length, 1);
  assert.throws(() => client.watch("web", ["A"]), { name: "ConfigurationError" });
});

test("a threshold that stands raised at first is told to nobody as crossed, and a crossing once", async () => {
  const client = made();
  const view = client.watchThreshold("web", ["A"], { atMost: 5, until: 8 });
  await settle();
  const [socket] = sockets;
  socket.onopen({});
  const [, { id, when }] = socket.sent;
  assert.deepEqual(when, { at_most: 5, until: 8 });
  const row = (version, raised) => ({ sku: "A", location: "web", version, raised, when, available: 5 });
  socket.say({ type: "connected", id: 1, node: "h", epoch: EPOCH, heartbeat_s: 5, expires_at: null });
  socket.say({ type: "subscribed", id, sub: id, recovered: false });
  socket.say({ type: "snapshot", sub: id, thresholds: [row(3, true)], last: true });
  await pass(1);
  const told = [];
  view.subscribe((_, changed) => told.push(...changed.map(({ raised }) => raised)));
  socket.say({ type: "threshold", ...row(4, false) });
  await pass(1);
  socket.say({ type: "threshold", ...row(5, true) }, { type: "threshold", ...row(6, false) });
  await pass(1);
  assert.deepEqual(told, [true, false]);
  assert.ok(Object.isFrozen(view.get("A")?.when), "through and through");
});

test("a hub that is away, or whose reads are elsewhere, is no reason to do without WebSockets; one that can be read is", async () => {
  mock.method(Math, "random", () => 0.5);
  const asked = [];
  let hub = "away";
  const fetch = (url) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    if (hub === "away") return Promise.reject(new TypeError("fetch failed"));
    const isRead = hub === "there" && pathname === "/v1/discovery";
    return Promise.resolve({ status: isRead ? 200 : 404, ok: isRead, body: null, headers: new Headers() });
  };
  const client = made({ fetch });
  client.watch("web", ["A"]);
  await settle();
  for (let failed = 1; failed <= 10; failed++) {
    if (failed === 5) hub = "elsewhere";
    sockets.at(-1).onclose({ code: 1006, reason: "" });
    await pass(5_100);
    assert.equal(sockets.length, failed + 1, "each try is a WebSocket");
  }
  assert.ok(asked.includes("/v1/discovery"));
  assert.ok(!asked.includes("/v1/levels/stream"));
  hub = "there";
  while (!asked.includes("/v1/levels/stream")) {
    sockets.at(-1).onclose({ code: 1006, reason: "" });
    await pass(5_100);
    assert.ok(sockets.length < 20, "it is blocked, and never noticed");
  }
  const before = sockets.length;
  for (let tries = 0; sockets.length === before; tries++) {
    await pass(5_100);
    assert.ok(tries < 10, "event streams do not come either, and WebSockets are never tried again");
  }
  Math.random.mock.restore();
});

test("a hub that cannot take anybody just now is tried again, a little later", async () => {
  mock.method(Math, "random", () => 0);
  const client = made();
  client.watch("web", ["A"]);
  await settle();
  sockets[0].onopen({});
  sockets[0].say({ type: "error", id: 1, code: "overloaded", message: "not now" });
  await pass(1_900);
  assert.deepEqual([client.state, sockets.length], ["connecting", 1]);
  await pass(200);
  assert.equal(sockets.length, 2);
  Math.random.mock.restore();
});

test("a page that is left and come back to keeps the pause that the hub asked for", async () => {
  await onPage(async ({ happen }) => {
    const { socket } = await live();
    mock.method(Math, "random", () => 0);
    socket.say({ type: "disconnect", code: 4100, reason: "full", reconnect: true, after_ms: 20_000 });
    happen("pagehide");
    happen("pageshow");
    await pass(19_900);
    assert.equal(sockets.length, 1);
    await pass(200);
    assert.equal(sockets.length, 2);
    Math.random.mock.restore();
  });
});
