// A page that is hidden, left, come back to and cut off.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { beat, level, live, onPage, pass, settle, sockets } from "./played_hub.js";

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
