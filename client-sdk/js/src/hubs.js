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
 * @param {string} from  URL of the ledger, or of a hub's read port.
 * @param {typeof globalThis.fetch} fetch
 */
export const discovery = (from, fetch) =>
  fetch(`${from.replace(/\/+$/, "")}/v1/discovery`, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });

/**
 * Whom a ledger or a hub names.
 *
 * @param {string} from  URL of the ledger, or of a hub's read port.
 * @param {typeof globalThis.fetch} fetch
 * @returns {Promise<Hub[]>}  Rejects with StockwireError.
 */
export async function discovered(from, fetch) {
  const answer = await discovery(from, fetch);
  if (!answer.ok) throw new Unavailable(`${from} answered ${answer.status}`);
  return (await answer.json()).hubs;
}

/**
 * Behind one address for both, which is what a page that names streams only has.
 *
 * @param {string} stream
 * @returns {Hub}
 */
export const hubOf = (stream) => ({ stream, read: stream.replace(/^ws/, "http").replace(/\/v1\/stream.*$/, "") });

/**
 * @param {() => Promise<Hub[]>} discover
 * @returns {() => Promise<Hub>}  Rejects with StockwireError.
 */
export function hubsInTurn(discover) {
  /** @type {Hub[]} */
  let hubs = [];
  let next = 0, first = 0;
  return async () => {
    if (next >= hubs.length) {
      const known = hubs;
      hubs = await discover().catch((error) => {
        if (known.length) return known; // the hubs serve on without a ledger
        throw new Unavailable(error.message);
      });
      if (!hubs.length) throw new ConfigurationError("the ledger names no hubs: set STOCKWIRE_HUB_STREAM_URLS there");
      if (hubs.length !== known.length) first = Math.floor(Math.random() * hubs.length);
      next = 0;
    }
    return /** @type {Hub} */ (hubs[(first + next++) % hubs.length]);
  };
}
