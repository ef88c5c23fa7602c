/**
 * For a visitor for whom the hub has no place: what the public sees, from the reads that caches keep. It is never said
 * to be fresh, and after a while the stream is tried again.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
import { addressesOf, read } from "./reads.js";
import { EPOCH_CHANGED, RESTART } from "./reconnect.js";

// What caches keep is as old as 6 s
const ROUND_MS = 5_000;
const TRY_AGAIN_MS = 60_000;

export class Polling extends MadeSocket {
  /** @type {Map<number, Request>} */
  #asked = new Map();
  /** @type {Set<number>} */
  #answered = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} Of the round that comes, or goes on. */
  #round = undefined;
  /** @type {string | undefined} Of the history that the answers are from. */
  #history = undefined;
  #hub;
  #fetch;
  #epoch;

  /**
   * @param {string} hub  URL of its read port.
   * @param {typeof globalThis.fetch} fetch
   * @param {string} epoch  The answers do not name it: that of what is held.
   */
  constructor(hub, fetch, epoch) {
    super();
    this.#hub = hub;
    this.#fetch = fetch;
    this.#epoch = epoch;
    const again = setTimeout(() => this.end(RESTART), TRY_AGAIN_MS * (1 + Math.random()));
    this.over.signal.addEventListener("abort", () => {
      clearTimeout(again);
      clearTimeout(this.#round);
    });
  }

  /**
   * @override
   * @param {Request} request
   */
  take(request) {
    if (request.type === "connect") {
      this.say({ type: "heartbeat", seq: {}, fresh: false, lag_ms: 0 });
      this.say({ type: "connected", id: request.id, epoch: this.#epoch, heartbeat_s: 60 });
    }
    if (request.type === "unsubscribe") this.#asked.delete(request.sub);
    if (request.type !== "subscribe" || request.when || !request.skus) return;
    this.#asked.set(request.id, request);
    this.#round ??= setTimeout(() => this.#ask(), 0);
  }

  async #ask() {
    const began_ms = Date.now();
    for (const request of [...this.#asked.values()]) await this.#answer(request);
    if (this.isOver) return;
    this.say({ type: "heartbeat", seq: {}, fresh: false, lag_ms: Date.now() - began_ms });
    this.#round = this.#asked.size ? setTimeout(() => this.#ask(), ROUND_MS) : undefined;
  }

  /** @param {Request} request */
  async #answer({ id, skus = [], location }) {
    const views = [];
    for (const address of addressesOf(this.#hub, location, skus)) views.push(...(await this.#look(address)));
    for (const view of views) this.say({ type: "view", ...view });
    if (this.#answered.has(id) || views.length < skus.length) return;
    this.#answered.add(id);
    this.say({ type: "subscribed", id, sub: id, recovered: false });
    this.say({ type: "snapshot", sub: id, views, last: true });
  }

  /** @param {string} address */
  async #look(address) {
    try {
      const { views, history } = await read(address, this.#fetch, this.over.signal);
      if (history && history !== (this.#history ??= history)) this.end(EPOCH_CHANGED);
      return views;
    } catch {
      return []; // as old as it was
    }
  }
}
