/**
 * Which hub to connect to next: the hubs in turn, beginning anywhere, so that clients spread; asked for anew after each
 * round.
 *
 * @typedef {{ stream: string, read?: string | null }} Hub  URLs: of the stream, and of the read port.
 */
import { ConfigurationError, Unavailable } from "./errors.js";

// A ledger answers within milliseconds; one that does not keeps nobody from the hubs already known
const DISCOVERY_TIMEOUT_MS = 5_000;

export class Hubs {
  /** @type {Hub[]} */
  #hubs = [];
  #next = 0;
  #first = 0;

  /** @param {() => Promise<Hub[]>} discover */
  constructor(discover) {
    this.discover = discover;
  }

  /** @returns {Promise<Hub>} Rejects with StockwireError. */
  async next() {
    if (this.#next >= this.#hubs.length) await this.#ask();
    return /** @type {Hub} */ (this.#hubs[(this.#first + this.#next++) % this.#hubs.length]);
  }

  async #ask() {
    const known = this.#hubs;
    const hubs = await this.discover().catch((error) => {
      if (known.length) return known; // the hubs serve on without a ledger
      throw error;
    });
    if (!hubs.length) throw new ConfigurationError("the ledger names no hubs: set STOCKWIRE_HUB_STREAM_URLS there");
    if (hubs.length !== known.length) this.#first = Math.floor(Math.random() * hubs.length);
    this.#hubs = hubs;
    this.#next = 0;
  }
}

/**
 * @param {{ url?: string, hub?: string, hubs?: readonly string[], fetch: typeof globalThis.fetch }} options
 * @returns {() => Promise<Hub[]>}
 */
export function discovery({ url, hub, hubs, fetch }) {
  if (hubs) return async () => hubs.map((stream) => ({ stream, read: readOf(stream) }));
  const from = `${(url ?? hub ?? "").replace(/\/+$/, "")}/v1/discovery`;
  return async () => {
    const answer = await fetch(from, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });
    if (answer.ok) return (await answer.json()).hubs;
    throw new Unavailable(`${from} answered ${answer.status}`);
  };
}

// Behind one address for both, which is what a page that names streams only has
/** @param {string} stream */
const readOf = (stream) => stream.replace(/^ws/, "http").replace(/\/v1\/stream.*$/, "");
