/**
 * For a visitor for whom the hub has no place: what the public sees, from the reads that caches keep. It is never said
 * to be fresh, and after a while the stream is tried again.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
import { EPOCH_CHANGED, RESTART } from "./reconnect.js";

// What caches keep is as old as 6 s
const ROUND_MS = 5_000;
// Of one read; a hub answers 200, an address has room for these
const SKUS_MAX = 100;
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
    if (request.type !== "subscribe" || request.when || !request.skus) return;
    this.#asked.set(request.id, request);
    if (this.#asked.size === 1) void this.#rounds();
  }

  async #rounds() {
    while (!this.isOver && this.#asked.size) {
      const began_ms = Date.now();
      for (const request of [...this.#asked.values()]) await this.#round(request);
      this.say({ type: "heartbeat", seq: {}, fresh: false, lag_ms: Date.now() - began_ms });
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
    }
  }

  /** @param {Request} request */
  async #round({ id, skus = [], location }) {
    const sorted = skus.toSorted(), views = [];
    for (let first = 0; first < sorted.length; first += SKUS_MAX) {
      views.push(...(await this.#look(location, sorted.slice(first, first + SKUS_MAX))));
    }
    for (const view of views) this.say({ type: "view", ...view });
    if (this.#answered.has(id) || views.length < sorted.length) return;
    this.#answered.add(id);
    this.say({ type: "subscribed", id, sub: id, recovered: false });
    this.say({ type: "snapshot", sub: id, views, last: true });
  }

  /**
   * @param {string} location
   * @param {string[]} skus
   * @returns {Promise<object[]>}
   */
  async #look(location, skus) {
    const query = new URLSearchParams({ location });
    for (const sku of skus) query.append("sku", sku);
    try {
      const answer = await this.#fetch(`${this.#read}/v1/availability?${query}`, { signal: this.over.signal });
      const history = answer.headers.get("ETag")?.split("-")[0];
      if (history && history !== (this.#history ??= history)) this.end(EPOCH_CHANGED, "history was rewritten");
      return answer.ok ? (await answer.json()).views : [];
    } catch {
      return []; // as old as it was
    }
  }
}
