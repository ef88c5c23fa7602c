/**
 * The tokens that the application gives: one for each connection, and another before that one ends. A visitor has none.
 *
 * @import { Connected } from "./frame.js"
 * @import { GetToken, Link } from "./link.js"
 */
import { ConfigurationError } from "./errors.js";
import { SUBPROTOCOL } from "./frame.js";
import { tokenOf } from "./one_token.js";

// For the application to give one
const FETCH_TIMEOUT_MS = 10_000;
const RENEW_LEAST_MS = 5_000;
// The part of a token's life after which the next one is asked for
const RENEW_AFTER = 0.8;

// By the second one the hub knows before the first message that a token comes: a browser can send no header
const PROTOCOLS = [SUBPROTOCOL, "stockwire.token"];

export class Tokens {
  protocols = PROTOCOLS;
  /** @type {AbortController | undefined} Of the one that is being fetched. */
  #fetching;
  #renew_ms = Infinity;
  #getToken;

  /** @param {GetToken} getToken */
  constructor(getToken) {
    this.#getToken = getToken;
  }

  /** @returns {Promise<string>} Rejects with StockwireError, or with what the application throws. */
  async fetch() {
    const fetching = (this.#fetching = new AbortController());
    const late = setTimeout(() => fetching.abort(), FETCH_TIMEOUT_MS);
    try {
      const { signal } = fetching;
      const over = new Error("getToken gave none in time");
      const aborted = new Promise((_, reject) => (signal.onabort = () => reject(over)));
      const token = await Promise.race([tokenOf(this.#getToken, signal), aborted]);
      if (token && typeof token === "string") return token;
      throw new ConfigurationError("getToken gave no text");
    } finally {
      clearTimeout(late);
      if (this.#fetching === fetching) this.#fetching = undefined;
    }
  }

  /** Nobody waits for it any more. */
  abort() {
    this.#fetching?.abort();
  }

  /**
   * When the token of this connection is to be renewed, by the hub's clock.
   *
   * @param {Connected | undefined} connected
   * @param {number} heard_ms
   */
  plan(connected, heard_ms) {
    const { expires_at, expires_in_s } = connected ?? {};
    // A hub that does not say how long a token lasts: this machine's clock may be hours off, and is all there is
    const life_ms = expires_in_s ? expires_in_s * 1_000 : Date.parse(expires_at ?? "") - heard_ms;
    this.#renew_ms = heard_ms + Math.max(RENEW_LEAST_MS, RENEW_AFTER * (life_ms || Infinity));
  }

  /**
   * Give the hub the next token, if it is time for it.
   *
   * @param {Link} link
   * @param {number} now_ms
   */
  async renew(link, now_ms) {
    const { session } = link, { connected } = session;
    if (!connected || this.#fetching || now_ms < this.#renew_ms) return;
    this.#renew_ms = now_ms + RENEW_LEAST_MS;
    // Without one it is asked for again in a while; the hub ends the connection when the token does
    const token = await this.fetch().catch(() => undefined);
    if (!token || session.connected !== connected) return;
    session.say("refresh", { token });
    link.send();
  }
}
