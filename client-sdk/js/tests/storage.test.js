// What outlives a page.
import assert from "node:assert/strict";
import { test } from "node:test";

import { EPOCH, level, live, made, onPage, pass, settle, sockets } from "./played_hub.js";

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
    sockets.length = 0;
    made({ storage, getToken: undefined }).watch("web", ["A"], { view: "public" });
    await settle();
    sockets[0].serve([{ sku: "A", location: "web", version: 7, availability: "low", quantity: "1+" }]);
    await pass(100);
    show("hidden");
    assert.equal(kept.size, stored.length + 2);
  });
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
    sockets.length = 0;
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
    sockets.length = 0;
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
