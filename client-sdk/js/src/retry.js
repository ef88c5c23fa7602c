/**
 * When a failed call is sent again. Pure: chance comes in as a number, time goes out as one.
 *
 * Only `Later` is worth another try. Waits are exponential with full jitter (each anywhere between 0 and the bound, so
 * that many clients do not come back in step) and never shorter than the server's Retry-After.
 */
import { Later, Unavailable } from "./errors.js";
import { OutcomeUnknown } from "./refusals.js";

const WAIT_FIRST_S = 0.1;
const WAIT_MAX_S = 5;

/** @typedef {{ maxRetries: number, retryFor_s: number }} RetryPolicy  Tries after the first, none begun later. */

/** One call and its tries. */
export class Tries {
  /**
   * @param {RetryPolicy} policy
   * @param {boolean} writes
   */
  constructor(policy, writes) {
    this.policy = policy;
    this.writes = writes;
    this.failed = 0;
    /** @type {OutcomeUnknown | undefined} */
    this.unknown = undefined;
  }

  /**
   * Seconds to wait before the next try, or undefined: throw `verdict`.
   *
   * @param {unknown} error
   * @param {number} elapsed_s  Since the first try began.
   * @param {number} chance  Anywhere in 0 to 1.
   */
  wait_s(error, elapsed_s, chance) {
    if (error instanceof OutcomeUnknown) this.unknown = error;
    if (!(error instanceof Later) || this.failed >= this.policy.maxRetries) return undefined;
    const bound_s = Math.min(WAIT_MAX_S, WAIT_FIRST_S * 2 ** this.failed++);
    const wait = (error.retry_after_s ?? 0) + chance * bound_s;
    return elapsed_s + wait <= this.policy.retryFor_s ? wait : undefined;
  }

  /**
   * What to throw after the last try: once a try may have been written, "unavailable" would be a lie; a read has no
   * outcome to be unsure of.
   *
   * @param {unknown} error
   */
  verdict(error) {
    if (!(error instanceof Later)) return error;
    if (this.writes) return this.unknown ?? error;
    return error instanceof OutcomeUnknown
      ? new Unavailable(error.message, { retry_after_s: error.retry_after_s })
      : error;
  }
}
