/**
 * For a visitor for whom the hub has no place: what the public sees, from the reads that caches keep, sku by sku. It is
 * never said to be fresh, and after a while the stream is tried again.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
import { EPOCH_CHANGED, RESTART } from "./reconnect.js";

// Two reads a second, once each of the first has been seen
const PACE_MS = 500;
const FIRST = 30;
const ROUND_LEAST_MS = 5_000;
const TRY_AGAIN_MS = 60_000;

export class Polling extends MadeSocket {
  /** @type {Map<number, Request>} */
  #asked = new Map();
  /** @type {Set<number>} */
  #answered = new Set();
  /** @type {string | undefined} Of the history that the answers are from. */
  #history = undefined;
  #read;
  #fetch;
  #epoch;

  /**
   * @param {string} read
   * @param {typeof globalThis.fetch} fetch
   * @param {string} epoch  The answers do not name it: that of what is held.
   */
  constructor(read, fetch, epoch) {
    super();
    this.#read = read;
    this.#fetch = fetch;
    this.#epoch = epoch;
    const again = setTimeout(() => this.end(RESTART, "try the stream again"), TRY_AGAIN_MS * (1 + Math.random()));
    this.over.signal.addEventListener("abort", () => clearTimeout(again));
  }

  /**
   * @override
   * @param {Request} request
   */
  take(request) {
    if (request.type === "connect") {
      this.say({ type: "connected", id: request.id, node: "", epoch: this.#epoch, heartbeat_s: 60, expires_at: null });
    }
    if (request.type === "unsubscribe") this.#asked.delete(request.sub);
    if (request.type !== "subscribe") return;
    this.#asked.set(request.id, request);
    if (this.#asked.size === 1) void this.#rounds();
  }

  async #rounds() {
    for (let first = FIRST; !this.isOver && this.#asked.size; first = 0) {
      const began_ms = Date.now();
      for (const request of [...this.#asked.values()]) first = await this.#round(request, first);
      const age_ms = Date.now() - began_ms;
      this.say({ type: "heartbeat", seq: {}, fresh: false, lag_ms: age_ms });
      await pause(Math.max(0, ROUND_LEAST_MS - age_ms));
    }
  }

  /**
   * @param {Request} request
   * @param {number} first  So many reads need not wait.
   */
  async #round({ id, skus, location, when }, first) {
    const views = [];
    for (const sku of when ? [] : (skus ?? [])) {
      if (first-- <= 0) await pause(PACE_MS);
      if (this.isOver) return 0;
      views.push(await this.#look(location, sku));
    }
    if (!this.#answered.has(id) && views.length && views.every(Boolean)) {
      this.#answered.add(id);
      this.say({ type: "subscribed", id, sub: id, recovered: false });
      this.say({ type: "snapshot", sub: id, views, last: true });
    }
    return Math.max(0, first);
  }

  /**
   * @param {string} location
   * @param {string} sku
   */
  async #look(location, sku) {
    const path = `/v1/availability/${encodeURIComponent(location)}/${encodeURIComponent(sku)}`;
    try {
      const answer = await this.#fetch(this.#read + path, { signal: this.over.signal });
      if (!answer.ok) return undefined;
      const history = answer.headers.get("ETag")?.split("-")[0];
      if (history && history !== (this.#history ??= history)) this.end(EPOCH_CHANGED, "history was rewritten");
      const view = await answer.json();
      this.say({ type: "view", ...view });
      return view;
    } catch {
      return undefined; // as old as it was
    }
  }
}

/** @param {number} wait_ms */
const pause = (wait_ms) => new Promise((resolve) => setTimeout(resolve, wait_ms));
