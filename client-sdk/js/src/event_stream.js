/**
 * Event streams read by `fetch`, since an EventSource can send no key. The same positions as on the stream.
 *
 * @import { Request } from "./made_socket.js"
 */
import { BAD_TOKEN, RESTART, TOO_MANY } from "./reconnect.js";
import { Streaming } from "./streaming.js";

// A hub answers at once; a browser keeps those for which it has no connection waiting, for ever and without a word
const ANSWER_MS = 20_000;
/** @type {Record<number, number>} */
const CODES = { 401: BAD_TOKEN, 429: TOO_MANY, 503: TOO_MANY };

export class EventStream extends Streaming {
  /** @type {string | undefined} */
  #token;
  #fetch;

  /**
   * @param {string} hub  URL of its read port.
   * @param {typeof globalThis.fetch} fetch
   */
  constructor(hub, fetch) {
    super(hub);
    this.#fetch = fetch;
  }

  /**
   * @override
   * @param {Request} request
   */
  take(request) {
    if (request.type === "connect") this.#token = request.token;
    // Each stream keeps the token that it began with: all begin again from where they are
    if (request.type === "refresh") this.end(RESTART);
    super.take(request);
  }

  /**
   * @override
   * @param {Request} request
   * @param {string} address
   * @param {AbortSignal} signal
   */
  async follow({ id, since }, address, signal) {
    const unanswered = () => this.isMany && this.refuse(id, "no connection is free for so many event streams");
    const late = setTimeout(unanswered, ANSWER_MS);
    signal.addEventListener("abort", () => clearTimeout(late));
    try {
      const headers = {
        ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
        ...(since && { "Last-Event-ID": JSON.stringify(since) }),
      };
      const answer = await this.#fetch(address, { headers, cache: "no-store", signal });
      clearTimeout(late);
      if (!answer.ok || !answer.body) return this.#refused(id, answer);
      let rest = "";
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        const lines = (rest + piece.value).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.startsWith("data:")) this.pass(id, line.slice(5).trim());
      }
      this.end(null, "the event stream ended");
    } catch (error) {
      if (!signal.aborted) this.end(null, `event stream: ${error}`);
    }
  }

  /**
   * @param {number} id
   * @param {Response} answer
   */
  async #refused(id, answer) {
    const { status, headers } = answer, { detail } = await answer.json().catch(() => ({})); // a proxy's may be a page
    const code = CODES[status], reason = detail ?? `the event stream answered ${status}`;
    if (status === 403) return this.refuse(id, reason, "forbidden");
    if (status === 422) return this.refuse(id, reason, "invalid");
    const after_ms = Number(headers.get("Retry-After")) * 1_000;
    if (code && after_ms) this.say({ type: "disconnect", code, reason, reconnect: code === TOO_MANY, after_ms });
    this.end(code ?? null, reason);
  }
}
