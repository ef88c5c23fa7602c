/**
 * The stream where WebSockets are blocked: each subscription is an event stream, read by `fetch`, since an EventSource
 * can send no key. The same messages, the same positions.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
import { BAD_TOKEN, FORBIDDEN, RESTART, TOO_MANY } from "./reconnect.js";

// A browser opens six connections to an HTTP/1.1 server, all tabs together
const STREAMS_MAX = 4;
// Proxies take 8 KB of an address: who names more skus watches the whole location
const QUERY_CHARACTERS_MAX = 6_000;
/** @type {Record<number, number>} */
const CODES = { 401: BAD_TOKEN, 403: FORBIDDEN, 429: TOO_MANY, 503: TOO_MANY };
// For a hub that is there to say so
const ANSWER_MS = 5_000;
const CHANGE = /^\{"type":"(level|view|threshold)"/;

export class EventStream extends MadeSocket {
  /** @type {Map<number, AbortController>} */
  #streams = new Map();
  /** @type {string | undefined} */
  #token = undefined;
  #read;
  #fetch;

  /**
   * @param {string} read  URL of the hub's read port.
   * @param {typeof globalThis.fetch} fetch
   */
  constructor(read, fetch) {
    super();
    this.#read = read;
    this.#fetch = fetch;
  }

  /**
   * @override
   * @param {Request} request
   */
  take(request) {
    if (request.type === "connect") this.#token = request.token;
    // Each stream keeps the token that it began with: all begin again from where they are
    if (request.type === "refresh") this.end(RESTART, "another token");
    if (request.type === "unsubscribe") this.#streams.get(request.sub)?.abort();
    if (request.type !== "subscribe") return;
    if (this.#streams.size < STREAMS_MAX) void this.#follow(request);
    else this.end(RESTART, "fewer subscriptions of more skus");
  }

  /** @param {Request} request */
  async #follow(request) {
    const { id } = request;
    const stopped = new AbortController();
    this.#streams.set(id, stopped);
    const signal = AbortSignal.any([stopped.signal, this.over.signal]);
    try {
      const answer = await this.#fetch(`${this.#read}/v1/levels/stream?${queryOf(request)}`, {
        headers: {
          ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
          ...(request.since && { "Last-Event-ID": JSON.stringify(request.since) }),
        },
        cache: "no-store",
        signal,
      });
      if (!answer.ok || !answer.body) return this.#refused(id, answer);
      let rest = "";
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        const lines = (rest + piece.value).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.startsWith("data:")) this.#said(id, line.slice(5).trim());
      }
      this.end(null, "the event stream ended");
    } catch (error) {
      if (!stopped.signal.aborted) this.end(null, `event stream: ${error}`);
    } finally {
      stopped.abort();
      this.#streams.delete(id);
    }
  }

  /**
   * @param {number} id
   * @param {Response} answer
   */
  #refused(id, { status, headers }) {
    if (status === 403) return this.say({ type: "error", id, code: "forbidden", message: "the token lacks the scope" });
    if (status === 422) return this.say({ type: "error", id, code: "invalid", message: "no such selection" });
    const code = CODES[status], reason = `the event stream answered ${status}`;
    const after_ms = Number(headers.get("Retry-After")) * 1_000;
    if (code && after_ms) this.say({ type: "disconnect", code, reason, reconnect: code === TOO_MANY, after_ms });
    this.end(code ?? null, reason);
  }

  /**
   * A stream knows its one subscription by a number of its own. Its heartbeats promise nothing about others.
   *
   * @param {number} id
   * @param {string} text
   */
  #said(id, text) {
    if (CHANGE.test(text)) return this.tell(text);
    const message = JSON.parse(text);
    if (message.type === "error" || message.type === "subscribed") message.id = id;
    this.say({ ...message, sub: id });
  }
}

/** @param {Request} request */
function queryOf({ location, skus, view, when }) {
  const query = new URLSearchParams({ location });
  if (view) query.set("view", view);
  for (const [edge, units] of Object.entries(when ?? {})) query.set(edge, String(units));
  const whole = String(query);
  for (const sku of skus ?? []) query.append("sku", sku);
  const named = String(query);
  return named.length > QUERY_CHARACTERS_MAX ? whole : named;
}

/**
 * Whether the hub answers at all, be it that there is no such page.
 *
 * @param {string} read
 * @param {typeof globalThis.fetch} fetch
 */
export const isThere = (read, fetch) =>
  fetch(`${read}/v1/discovery`, { signal: AbortSignal.timeout(ANSWER_MS) }).then(({ status }) => status < 500, () => false);
