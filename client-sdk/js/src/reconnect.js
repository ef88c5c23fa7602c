/**
 * Whether and when to connect again. Pure: chance comes in as a number, time goes out as one.
 *
 * Full jitter: each wait is anywhere between 0 and a bound that doubles up to a cap, so that the thousands of clients of
 * a hub do not come back in step.
 */
import { BadToken, Forbidden, Invalid, NotFound, StockwireError, StreamRefused, TokenExpired } from "./errors.js";

/**
 * @typedef {object} Ending  Why a connection is over.
 * @property {string} [reason]  For whoever is told that it is over for good.
 * @property {number | null} [code]  Null: lost without one.
 * @property {number} [after_ms]  How long the hub asked to stay away.
 * @property {boolean} [final]  The hub says that coming back unchanged makes no sense.
 * @property {StockwireError} [error]  What coming back cannot mend.
 */

const BOUND_FIRST_MS = 250;
// A client is back within this of the end of an outage, however long that was
const BOUND_MAX_MS = 5_000;
// The least wait after 4100 to 4199: the hub asked for less of this client
const PAUSE_MS = 2_000;
// No hub can send a client away for longer
const AFTER_MS_MAX = 120_000;
// A token may have ended or been revoked since it was fetched: so often in a row another one is tried
const TOKENS_REFUSED_MAX = 2;

export const POLICY = 1008, RESTART = 1012, BAD_TOKEN = 4001, FORBIDDEN = 4003, TOO_MANY = 4100;
export const TOKEN_EXPIRED = 4104, EPOCH_CHANGED = 4202;

/**
 * By range, so that codes may be added.
 *
 * @param {number | null | undefined} code  None: lost without a close frame.
 * @returns {"never" | "paused" | "now"}
 */
export function returnAfter(code) {
  const range = Math.floor((code ?? 0) / 100);
  if (range === 40 || code === POLICY) return "never";
  return range === 41 ? "paused" : "now";
}

/** @type {Record<string, new (message: string, fields: any) => StockwireError>} By code of a close, or of an `error`. */
const REFUSALS = {
  [BAD_TOKEN]: BadToken, [TOKEN_EXPIRED]: TokenExpired, [FORBIDDEN]: Forbidden,
  unauthorized: BadToken, forbidden: Forbidden, invalid: Invalid, "not-found": NotFound,
};

/**
 * @param {number | string | null | undefined} code  Of a close, or of an `error`.
 * @param {string} [reason]
 */
export function refusalOf(code, reason) {
  const Refusal = REFUSALS[code ?? ""] ?? StreamRefused;
  return new Refusal(reason || `closed with ${code}`, /** @type {any} */ ({ reason, code, field: "subscription" }));
}

export class Reconnect {
  /** @param {boolean} tokenChanges  The application gives a fresh token for each connection. */
  constructor(tokenChanges) {
    this.tokenChanges = tokenChanges;
    this.attempt = 0;
    this.refused = 0;
  }

  /** A snapshot was completed: the next loss is the first again. */
  succeeded() {
    this.attempt = this.refused = 0;
  }

  /**
   * Milliseconds to wait before the next try and of these the `least` that nobody may cut short, or the error that
   * ends it all.
   *
   * @param {Ending} ending
   * @param {number} chance  Anywhere in 0 to 1.
   * @returns {{ wait_ms: number, least_ms: number } | StockwireError}
   */
  after({ reason, code, after_ms, final, error }, chance) {
    if (error) return error;
    const isTokens = code === BAD_TOKEN || code === TOKEN_EXPIRED;
    if (final || isTokens || returnAfter(code) === "never") {
      const mayChange = isTokens && this.tokenChanges && (code === TOKEN_EXPIRED || ++this.refused < TOKENS_REFUSED_MAX);
      if (!mayChange) return refusalOf(code, reason);
    }
    const bound_ms = Math.min(BOUND_MAX_MS, BOUND_FIRST_MS * 2 ** this.attempt++);
    const pause_ms = isTokens || returnAfter(code) === "paused" ? PAUSE_MS : 0;
    const least_ms = Math.min(after_ms ?? pause_ms, AFTER_MS_MAX);
    return { wait_ms: least_ms + chance * bound_ms, least_ms };
  }
}
