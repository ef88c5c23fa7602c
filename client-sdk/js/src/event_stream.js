/**
 * Event streams read by `fetch`, since an EventSource can send no key. The same positions as on the stream.
 *
 * @import { Request } from "./made_socket.js"
 */
import { BAD_TOKEN, FORBIDDEN, RESTART, TOO_MANY } from "./reconnect.js";
import { Streaming } from "./streaming.js";

/** @type {Record<number, number>} */
const CODES = { 401: BAD_TOKEN, 403: FORBIDDEN, 429: TOO_MANY, 503: TOO_MANY };

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
    if (request.type === "refresh") this.end(RESTART, "another token");
    super.take(request);
  }

  /**
   * @override
   * @param {Request} request
   * @param {string} address
   * @param {AbortSignal} signal
   */
  async follow({ id, since }, address, signal) {
    try {
      const headers = {
        ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
        ...(since && { "Last-Event-ID": JSON.stringify(since) }),
      };
      const answer = await this.#fetch(address, { headers, cache: "no-store", signal });
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
  #refused(id, { status, headers }) {
    if (status === 403 || status === 422) {
      this.leave(id);
      const why = status === 403 ? ["forbidden", "the token lacks the scope"] : ["invalid", "no such selection"];
      return this.say({ type: "error", id, code: why[0], message: why[1] });
    }
    const code = CODES[status], reason = `the event stream answered ${status}`;
    const after_ms = Number(headers.get("Retry-After")) * 1_000;
    if (code && after_ms) this.say({ type: "disconnect", code, reason, reconnect: code === TOO_MANY, after_ms });
    this.end(code ?? null, reason);
  }
}
