/**
 * Whether and when to connect again. Pure: chance comes in as a number, time goes out as one.
 *
 * Full jitter: each wait is anywhere between 0 and a bound that doubles up to a cap, so that the thousands of clients of
 * a hub do not come back in step.
 */
import { StockwireError } from "./errors.js";
export type Ending = {
    /**
     * For whoever is told that it is over for good.
     */
    reason?: string;
    /**
     * Null: lost without one.
     */
    code?: number | null;
    /**
     * How long the hub asked to stay away.
     */
    after_ms?: number;
    /**
     * The hub says that coming back unchanged makes no sense.
     */
    final?: boolean;
    /**
     * What coming back cannot mend.
     */
    error?: StockwireError;
};
export declare const POLICY = 1008, RESTART = 1012, BAD_TOKEN = 4001, FORBIDDEN = 4003, TOO_MANY = 4100;
export declare const TOKEN_EXPIRED = 4104, EPOCH_CHANGED = 4202;
/**
 * By range, so that codes may be added.
 *
 * @param {number | null | undefined} code  None: lost without a close frame.
 * @returns {"never" | "paused" | "now"}
 */
export declare function returnAfter(code: number | null | undefined): "never" | "paused" | "now";
/**
 * @param {number | string | null | undefined} code  Of a close, or of an `error`.
 * @param {string} [reason]
 */
export declare function refusalOf(code: number | string | null | undefined, reason?: string): StockwireError;
export declare class Reconnect {
    tokenChanges: boolean;
    attempt: number;
    refused: number;
    /** @param {boolean} tokenChanges  The application gives a fresh token for each connection. */
    constructor(tokenChanges: boolean);
    /** A snapshot was completed: the next loss is the first again. */
    succeeded(): void;
    /**
     * Milliseconds to wait before the next try and of these the `least` that nobody may cut short, or the error that
     * ends it all.
     *
     * @param {Ending} ending
     * @param {number} chance  Anywhere in 0 to 1.
     * @returns {{ wait_ms: number, least_ms: number } | StockwireError}
     */
    after({ reason, code, after_ms, final, error }: Ending, chance: number): {
        wait_ms: number;
        least_ms: number;
    } | StockwireError;
}
