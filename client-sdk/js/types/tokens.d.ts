import type { Connected } from "./frame.js";
import type { GetToken, Link } from "./link.js";
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
    plan(connected: Connected | undefined, heard_ms: number): void;
    /**
     * Give the hub the next token, if it is time for it.
     *
     * @param {Link} link
     * @param {number} now_ms
     */
    renew(link: Link, now_ms: number): Promise<void>;
}
