// Which way a client takes when parts of it cannot be loaded, as after a shop was deployed anew.
import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { afterEach, mock, test } from "node:test";

import { StockClient } from "../src/client.js";
import "./loaded.js";

const AWAY = new Set();
const asked = [];
registerHooks({
  resolve(name, context, next) {
    asked.push(name);
    if (AWAY.has(name)) throw new TypeError("Failed to fetch dynamically imported module");
    return next(name, context);
  },
});

afterEach(() => mock.timers.reset());

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("the ways beside a WebSocket are loaded after trouble; while they cannot be, there is the WebSocket", async () => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const sockets = [];
  class WebSocket {
    constructor() {
      sockets.push(this);
    }
    close() {}
  }
  const fetch = async (url) => (url.endsWith("/v1/discovery") ? Response.json({ hubs: [] }) : new Promise(() => {}));
  const client = new StockClient({ hubs: ["ws://hub/v1/stream"], fetch, WebSocket });
  client.watch("web", ["A"], { view: "public" });
  await settle();
  assert.ok(!asked.includes("./way.js"), "a page without trouble needs none of it");
  const fail = async () => {
    const before = sockets.length;
    sockets.at(-1).onclose({ code: 1006, reason: "" });
    for (let waited_ms = 0; waited_ms < 6_000 && sockets.length === before; waited_ms += 500) {
      mock.timers.tick(500);
      await settle();
    }
    return sockets.length > before;
  };
  AWAY.add("./way.js");
  for (let turn = 0; turn < 5; turn++) assert.ok(await fail(), "each try is a WebSocket");
  assert.ok(asked.includes("./way.js"));
  AWAY.clear();
  assert.equal(await fail(), false, "the event stream is another way");
  assert.ok(asked.includes("./event_stream.js"));
  client.close();
});
