/**
 * How to reach a hub with which there was trouble: by WebSocket; where that is blocked by an event stream; by asking now and
 * then where it has no place for a visitor. Whoever asks gives what the others need, at once or when it is needed.
 *
 * @import { Link, Socket } from "./link.js"
 * @import { Kept } from "./storage.js"
 *
 * @typedef {object} Means
 * @property {() => Socket} plain  A WebSocket to the hub.
 * @property {typeof globalThis.fetch} fetch
 * @property {Kept | undefined} [kept]
 * @property {() => Promise<OfRead>} streams  Gives what reads event streams.
 * @property {() => Promise<OfRead>} polling  Gives what asks now and then.
 *
 * @typedef {new (read: string, fetch: typeof globalThis.fetch, epoch: string) => Socket} OfRead  Of the hub's read port.
 */
import { discovery } from "./hubs.js";

const FAILED_MAX = 2;

// Remembered for all clients of this page, and with `storage` for the session
let isBlocked = false;

/**
 * @param {Link} link
 * @param {string | null | undefined} read  The hub's read port, if there is one.
 * @param {Means} means
 * @returns {Promise<Socket>}
 */
export async function reach(link, read, { plain, fetch, kept, streams, polling }) {
  if (!read) return plain();
  const { epoch = "" } = link.session;
  isBlocked ||= !!kept?.isBlocked;
  if (link.failed >= FAILED_MAX) {
    link.failed = 0;
    // A hub that is away for a moment lets nobody in, either way: WebSockets are blocked where its reads are to be had
    isBlocked = !isBlocked && (await isThere(read, fetch));
    kept?.block(isBlocked);
  }
  if (!link.getToken && link.crowded >= FAILED_MAX) {
    link.crowded = 0;
    return new (await polling())(read, fetch, epoch);
  }
  return isBlocked ? new (await streams())(read, fetch, epoch) : plain();
}

/**
 * Whether the hub's reads are there, which may be at another port than its stream, and unknown.
 *
 * @param {string} read
 * @param {typeof globalThis.fetch} fetch
 */
const isThere = (read, fetch) => discovery(read, fetch).then(({ ok }) => ok, () => false);
