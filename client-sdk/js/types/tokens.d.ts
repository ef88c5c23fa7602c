import type { Connected } from "./frame.js";
import type { GetToken } from "./link.js";
export declare class Tokens {
    #private;
    protocols: string[];
    /** @param {GetToken} getToken */
    constructor(getToken: GetToken);
    /** @returns {Promise<string>} Rejects with StockwireError, or with what the application throws. */
    fetch(): Promise<string>;
    /** Nobody waits for it any more. */
    abort(): void;
    /**
     * When the token of this connection is to be renewed, by the hub's clock.
     *
     * @param {Connected | undefined} connected
     * @param {number} heard_ms
     */
    planRenewal(connected: Connected | undefined, heard_ms: number): void;
    /**
     * The next token, if it is time for it.
     *
     * @param {number} now_ms
     * @returns {Promise<string | undefined>}
     */
    renewal(now_ms: number): Promise<string | undefined>;
}
