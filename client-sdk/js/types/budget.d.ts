/** How many messages may be sent on a connection. Pure. */
export declare class Budget {
    left: number;
    at_ms: number;
    /** @param {number} now_ms */
    constructor(now_ms: number);
    /**
     * Whether another may be sent now, and this much of the burst be `kept` for what is more urgent. 0 to 1.
     *
     * @param {number} now_ms
     * @param {number} [kept]
     */
    take(now_ms: number, kept?: number): boolean;
}
