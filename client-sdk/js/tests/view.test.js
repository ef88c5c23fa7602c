// What a view holds and tells.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { EPOCH, level, live, made, pass, settle, sockets } from "./played_hub.js";

test("a view says what is held, frozen, and calls a listener at once and then once for all that changed", async () => {
  const { view, socket } = await live([level("A", 1), level("B", 1)]);
  const told = [];
  let isFrozen = true;
  const end = view.subscribe((_, changed) => {
    told.push(changed.map(({ sku, version }) => [sku, version]));
    isFrozen &&= changed.every(Object.isFrozen);
  });
  socket.say({ type: "level", ...level("A", 2) }, { type: "level", ...level("A", 3) }, { type: "level", ...level("B", 2) });
  socket.say({ type: "level", ...level("A", 2) });
  await pass(1);
  assert.deepEqual(told, [[["A", 1], ["B", 1]], [["A", 3], ["B", 2]]]);
  socket.say({ type: "level", ...level("A", 4) }, { type: "level", ...level("B", 3) });
  assert.ok(Object.isFrozen(view.get("A")), "before it is told");
  assert.ok([...view.values()].every(Object.isFrozen));
  assert.equal(view.get("A").version, 4);
  await pass(1);
  assert.ok(isFrozen);
  assert.equal(view.get("C"), undefined);
  end();
  socket.say({ type: "level", ...level("A", 5) });
  await pass(1);
  assert.equal(told.length, 3);
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

test("a change that is traced says so to whoever is told of it, and what follows does not", async () => {
  const { view, socket } = await live([level("A", 1)]);
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const told = [];
  view.subscribe((_, changed) => told.push(...changed.map((one) => one.traceparent)));
  socket.say({ type: "level", ...level("A", 2), traceparent });
  await pass(1);
  socket.say({ type: "level", ...level("A", 3) });
  await pass(1);
  assert.deepEqual(told, [undefined, traceparent, undefined]);
});
