/**
 * How to reach a hub: by WebSocket; where that is blocked by an event stream; by asking now and then where it has no place
 * for a visitor. Whoever asks gives what
 * the others need, at once or when it is needed.
 *
 * @import { Hub } from "./hubs.js"
 * @import { Link, Socket } from "./link.js"
 * @import { Kept } from "./storage.js"
 *
 * @typedef {object} Means
 * @property {typeof globalThis.fetch} fetch
 * @property {new (url: string, protocols: string | string[]) => Socket} WebSocket
 * @property {Kept | undefined} [kept]
 * @property {() => Promise<OfRead>} streams  Gives what reads event streams.
 * @property {() => Promise<OfRead>} polling  Gives what asks now and then.
 *
 * @typedef {new (read: string, fetch: typeof globalThis.fetch, epoch: string) => Socket} OfRead  Of the hub's read port.
 */
import { SUBPROTOCOL } from "./frame.js";

const FAILED_MAX = 2;
// For a hub that is there to say so
const ANSWER_MS = 5_000;

// Remembered for all clients of this page, and with `storage` for the session
let isBlocked = false;

/**
 * @param {Link} link
 * @param {Hub} hub
 * @param {Means} means
 * @returns {Promise<Socket>}
 */
export async function reach(link, { stream, read }, { fetch, WebSocket, kept, streams, polling }) {
  const { epoch = "" } = link.session;
  isBlocked ||= !!kept?.isBlocked;
  if (read && link.failed >= FAILED_MAX) {
    link.failed = 0;
    // A hub that is away for a moment lets nobody in, either way: WebSockets are blocked where its reads are to be had
    isBlocked = !isBlocked && (await isThere(read, fetch));
    kept?.block(isBlocked);
  }
  if (read && !link.getToken && link.crowded >= FAILED_MAX) {
    link.crowded = 0;
    return new (await polling())(read, fetch, epoch);
  }
  return read && isBlocked ? new (await streams())(read, fetch, epoch) : new WebSocket(stream, link.tokens?.protocols ?? SUBPROTOCOL);
}

/**
 * Whether the hub's reads are there, which may be at another port than its stream, and unknown.
 *
 * @param {string} read
 * @param {typeof globalThis.fetch} fetch
 */
const isThere = (read, fetch) =>
  fetch(`${read}/v1/discovery`, { signal: AbortSignal.timeout(ANSWER_MS) }).then(({ ok }) => ok, () => false);
