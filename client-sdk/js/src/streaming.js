/**
 * A hub's event streams in the place of a WebSocket: one for each subscription, with the same messages.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
import { RESTART } from "./reconnect.js";

// A browser opens six connections to an HTTP/1.1 server, all tabs together: with more than this, few of many skus are better
const STREAMS_CALM = 4;
// By HTTP/2, of which a server takes 100 and more at once; each keeps a place at the hub
const STREAMS_MAX = 16;
// Proxies take 8 KB of an address: who names more skus watches the whole location
const QUERY_CHARACTERS_MAX = 6_000;
const CHANGE = /^\{"type":"(level|view|threshold)"/;

export class Streaming extends MadeSocket {
  /** @type {Map<number, AbortController>} Of the streams. */
  #followed = new Map();
  /** What is asked for at once with `connect` is as few subscriptions as can be. */
  #isBeginning = false;

  /** @param {string} hub  URL of its read port. */
  constructor(hub) {
    super();
    this.hub = hub;
  }

  /**
   * @override
   * @param {Request} request
   */
  take(request) {
    if (request.type === "connect") {
      this.#isBeginning = true;
      queueMicrotask(() => (this.#isBeginning = false));
    }
    if (request.type === "unsubscribe") this.leave(request.sub);
    if (request.type !== "subscribe") return;
    const { id } = request, { size } = this.#followed;
    if (size >= STREAMS_MAX) return this.refuse(id, `${STREAMS_MAX} event streams at most`);
    if (size >= STREAMS_CALM && !this.#isBeginning) return this.end(RESTART);
    const stopped = new AbortController();
    this.#followed.set(id, stopped);
    stopped.signal.addEventListener("abort", () => this.#followed.delete(id));
    this.over.signal.addEventListener("abort", () => stopped.abort());
    this.follow(request, `${this.hub}/v1/levels/stream?${queryOf(request)}`, stopped.signal);
  }

  /** @param {number} sub */
  leave(sub) {
    this.#followed.get(sub)?.abort();
  }

  /**
   * It is watched no more, for good: coming back would change nothing.
   *
   * @param {number} id
   * @param {string} message
   * @param {string} [code]
   */
  refuse(id, message, code = "too-many-streams") {
    this.leave(id);
    this.say({ type: "error", id, code, message });
  }

  /** Whether a browser may keep one waiting, behind the others. */
  get isMany() {
    return this.#followed.size > STREAMS_CALM;
  }

  /**
   * Read this stream, until it is given up.
   *
   * @param {Request} _request
   * @param {string} _address
   * @param {AbortSignal} _givenUp
   */
  follow(_request, _address, _givenUp) {}

  /**
   * A stream knows its one subscription by a number of its own. Its heartbeats promise nothing about others.
   *
   * @param {number} id
   * @param {string} text
   */
  pass(id, text) {
    if (CHANGE.test(text)) return this.tell(text);
    const message = JSON.parse(text);
    if (message.type === "error" || message.type === "subscribed") message.id = id;
    this.say({ ...message, sub: id });
  }
}

/** @param {Request} request */
function queryOf({ location, skus, view, when }) {
  const query = new URLSearchParams(/** @type {any} */ ({ location, ...(view && { view }), ...when }));
  const whole = String(query);
  for (const sku of skus ?? []) query.append("sku", sku);
  const named = String(query);
  return named.length > QUERY_CHARACTERS_MAX ? whole : named;
}
