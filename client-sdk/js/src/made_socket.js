/**
 * What acts as a WebSocket to a hub and is none: requests in, messages out, the same as on the stream.
 *
 * @import { Socket } from "./link.js"
 *
 * @typedef {{ type: string, id: number, token?: string, location: string, skus?: string[], since?: object,
 *   view?: "public", when?: import("./kind.js").When, sub: number }} Request
 */

/** @implements {Socket} */
export class MadeSocket {
  /** @type {Socket["onmessage"]} */
  onmessage = null;
  /** @type {Socket["onclose"]} */
  onclose = null;
  isMute = true;
  isOver = false;
  /** Ends whatever is under way when this is over. */
  over = new AbortController();

  /** It is open as soon as somebody hears of it. */
  set onopen(/** @type {Socket["onopen"]} */ opened) {
    queueMicrotask(() => opened?.({}));
  }

  /** @param {string} text */
  send(text) {
    if (!this.isOver) this.take(JSON.parse(text));
  }

  /** @param {Request} _request */
  take(_request) {}

  /** @param {object} message */
  say(message) {
    this.tell(JSON.stringify(message));
  }

  /** @param {string} text */
  tell(text) {
    if (!this.isOver) this.onmessage?.({ data: text });
  }

  /**
   * @param {number | null} code
   * @param {string} [reason]  Why, if that is of use to anybody.
   */
  end(code, reason) {
    if (this.isOver) return;
    this.close();
    this.onclose?.({ code, reason });
  }

  close() {
    this.isOver = true;
    this.over.abort();
  }
}
