// When a client connects, gives a connection up, and comes back.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { beat, level, live, made, pass, settle, sockets } from "./played_hub.js";

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

test("a way to a hub that hangs is given up, and another try made", async () => {
  let asked = 0;
  const client = made({ hubs: undefined, url: "http://ledger", fetch: () => new Promise(() => asked++) });
  client.watch("web", ["A"]);
  await pass(9_000);
  assert.equal(asked, 1);
  await pass(8_000);
  assert.equal(asked, 2);
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

test("a hub that is away, or whose reads are elsewhere, is no reason to do without WebSockets; one that can be read is", async () => {
  mock.method(Math, "random", () => 0.5);
  const asked = [];
  let hub = "away";
  const fetch = (url) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    if (hub === "away") return Promise.reject(new TypeError("fetch failed"));
    const isRead = hub === "there" && pathname === "/v1/discovery";
    return Promise.resolve(new Response(null, { status: isRead ? 200 : 404 }));
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
  assert.deepEqual([client.state, sockets.length, client.error?.message], ["connecting", 1, "not now"]);
  await pass(200);
  assert.equal(sockets.length, 2);
  Math.random.mock.restore();
});

test("a view that waits says why, as far as it was told, until it has what it waits for", async () => {
  const { client, view, socket } = await live();
  const other = client.watch("paris", ["A"]);
  await pass(1);
  socket.say({ type: "error", id: socket.sent.at(-1).id, code: "limit", message: "full" });
  assert.deepEqual([other.state, other.error?.name, other.error?.code], ["connecting", "StreamRefused", "limit"]);
  assert.equal(view.error, undefined);
  await pass(3_000);
  socket.answer([]);
  assert.deepEqual([other.state, other.error], ["live", undefined]);
  socket.say({ type: "disconnect", code: 1012, reason: "stopping", reconnect: true, after_ms: 500 });
  assert.deepEqual([view.state, view.error?.message, client.error?.message], ["connecting", "stopping", "stopping"]);
  await pass(6_000);
  sockets.at(-1).serve([level("A", 1)]);
  assert.deepEqual([view.state, view.error, client.error], ["live", undefined, undefined]);
  view.close();
  assert.equal(view.error, undefined);
});
