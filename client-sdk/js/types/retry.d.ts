import { OutcomeUnknown } from "./refusals.js";
export type RetryPolicy = {
    maxRetries: number;
    retryFor_s: number;
};
/** @typedef {{ maxRetries: number, retryFor_s: number }} RetryPolicy  Tries after the first, none begun later. */
/** One call and its tries. */
export declare class Tries {
    policy: RetryPolicy;
    writes: boolean;
    failed: number;
    /** @type {OutcomeUnknown | undefined} */
    unknown: OutcomeUnknown | undefined;
    /**
     * @param {RetryPolicy} policy
     * @param {boolean} writes
     */
    constructor(policy: RetryPolicy, writes: boolean);
    /**
     * Seconds to wait before the next try, or undefined: throw `verdict`.
     *
     * @param {unknown} error
     * @param {number} elapsed_s  Since the first try began.
     * @param {number} chance  Anywhere in 0 to 1.
     */
    wait_s(error: unknown, elapsed_s: number, chance: number): number | undefined;
    /**
     * What to throw after the last try: once a try may have been written, "unavailable" would be a lie; a read has no
     * outcome to be unsure of.
     *
     * @param {unknown} error
     */
    verdict(error: unknown): unknown;
}
