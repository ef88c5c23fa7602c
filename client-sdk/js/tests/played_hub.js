// A client with a hub that the test plays, and a clock that the test turns.
import { afterEach, beforeEach, mock } from "node:test";

import { StockClient } from "../src/client.js";
import "./loaded.js";

export const TOKEN = "token";
export const EPOCH = "e";
/** @type {FakeSocket[]} */
export const sockets = [];
const clients = [];

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

export const level = (sku, version, more = {}) => ({
  sku, location: "web", version, on_hand: version, reserved: 0, available: version, kind: "sale",
  committed_at: "2026-11-22T10:00:00.000000Z", shard: 0, seq: version, ...more,
});
export const beat = (more = {}) => ({ type: "heartbeat", seq: { 0: 11 }, fresh: true, lag_ms: 3, ...more });

export function made(options = {}) {
  const client = new StockClient({ hubs: ["ws://hub/v1/stream"], getToken: () => TOKEN, WebSocket: FakeSocket, ...options });
  clients.push(client);
  return client;
}

export const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

export async function pass(ms) {
  for (let left = ms; left > 0; left -= 100) {
    mock.timers.tick(Math.min(100, left));
    await settle();
  }
}

beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000_000 }));
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  sockets.length = 0;
  mock.timers.reset();
});

/** Within a page: what a browser has and node has not. */
export async function onPage(run) {
  const page = Object.assign(new EventTarget(), { hidden: false }), window = new EventTarget();
  Object.assign(globalThis, {
    document: page,
    requestAnimationFrame: (frame) => setTimeout(frame, 16),
    cancelAnimationFrame: (number) => clearTimeout(number),
    addEventListener: window.addEventListener.bind(window),
  });
  const show = (state) => {
    page.hidden = state === "hidden";
    page.dispatchEvent(new Event("visibilitychange"));
  };
  try {
    await run({ show, happen: (type) => window.dispatchEvent(new Event(type)) });
  } finally {
    for (const name of ["document", "requestAnimationFrame", "cancelAnimationFrame", "addEventListener"]) delete globalThis[name];
  }
}

/** A client that is connected and watches these. */
export async function live(levels = [level("A", 1)], options = {}) {
  const client = made(options);
  const view = client.watch("web", levels.map(({ sku }) => sku));
  await settle();
  sockets[0].serve(levels);
  await pass(1);
  return { client, view, socket: sockets[0] };
}
