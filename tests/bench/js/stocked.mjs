// A client of the package over a hub that is a few lines: what it is sent is what a hub's socket would bring.
import { StockClient } from "../../../client-sdk/js/src/index.js";

export const LOCATION = "berlin";
const EPOCH = "5f0c7c1e-6a1f-4c55-9a51-0d7f4f4b4c58";
const PART_LEVELS = 1_000;

export const named = (count) => Array.from({ length: count }, (_, number) => `SKU-${String(number).padStart(6, "0")}`);

/** As on the wire, without its type. */
export const level = (sku, seq, version) => ({
  sku, location: LOCATION, version, on_hand: 1_000 - (version % 1_000), reserved: 0, available: 1_000 - (version % 1_000),
  kind: "sale", committed_at: `2026-01-01T00:00:${String(seq % 60).padStart(2, "0")}.${String(seq % 1e6).padStart(6, "0")}Z`,
  shard: 3, seq,
});

class Socket {
  onopen = null;
  onmessage = null;
  onclose = null;

  constructor() {
    setTimeout(() => this.onopen({}), 0);
  }

  send(text) {
    const asked = JSON.parse(text);
    setTimeout(() => this[asked.type]?.(asked), 0);
  }

  tell(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  connect({ id }) {
    this.tell({ type: "connected", id, node: "bench", epoch: EPOCH, heartbeat_s: 3_000, expires_at: null });
  }

  subscribe({ id, skus }) {
    this.tell({ type: "subscribed", id, sub: id, recovered: false });
    for (let first = 0; first < skus.length; first += PART_LEVELS) {
      const levels = skus.slice(first, first + PART_LEVELS).map((sku, place) => level(sku, first + place + 1, 1));
      const last = first + PART_LEVELS >= skus.length;
      const position = { epoch: EPOCH, seq: { 3: skus.length } };
      this.tell({ type: "snapshot", sub: id, levels, last, position: last ? position : null });
    }
  }

  close() {}
}

/** A view of them, ready, and `receive`, which is what its socket calls with each text. */
export async function watched(skus) {
  let socket;
  class WebSocket extends Socket {
    constructor() {
      super();
      socket = this;
    }
  }
  const client = new StockClient({ hubs: ["ws://127.0.0.1"], getToken: () => "key", WebSocket });
  const view = await client.watch(LOCATION, skus).ready;
  return { client, view, receive: (data) => socket.onmessage({ data }) };
}
