/**
 * Which hub to connect to next: the hubs in turn, beginning anywhere, so that clients spread; asked for anew after each
 * round.
 *
 * @typedef {{ stream: string, read?: string | null }} Hub  URLs: of the stream, and of the read port.
 */
import { ConfigurationError, Unavailable } from "./errors.js";

// A ledger answers within milliseconds; one that does not keeps nobody from the hubs already known
const DISCOVERY_TIMEOUT_MS = 5_000;

/**
 * @param {{ url?: string, hub?: string, hubs?: readonly string[], fetch: typeof globalThis.fetch }} options
 * @returns {() => Promise<Hub>}  Rejects with StockwireError.
 */
export function hubsInTurn({ url, hub, hubs: streams, fetch }) {
  /** @type {Hub[]} */
  let hubs = [];
  let next = 0, first = 0;
  const discover = async () => {
    if (streams) return streams.map((stream) => ({ stream, read: readOf(stream) }));
    const from = `${(url ?? hub ?? "").replace(/\/+$/, "")}/v1/discovery`;
    const answer = await fetch(from, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });
    if (!answer.ok) throw new Unavailable(`${from} answered ${answer.status}`);
    return /** @type {Hub[]} */ ((await answer.json()).hubs);
  };
  return async () => {
    if (next >= hubs.length) {
      const known = hubs;
      hubs = await discover().catch((error) => {
        if (known.length) return known; // the hubs serve on without a ledger
        throw error;
      });
      if (!hubs.length) throw new ConfigurationError("the ledger names no hubs: set STOCKWIRE_HUB_STREAM_URLS there");
      if (hubs.length !== known.length) first = Math.floor(Math.random() * hubs.length);
      next = 0;
    }
    return /** @type {Hub} */ (hubs[(first + next++) % hubs.length]);
  };
}

// Behind one address for both, which is what a page that names streams only has
/** @param {string} stream */
const readOf = (stream) => stream.replace(/^ws/, "http").replace(/\/v1\/stream.*$/, "");
