import type { CountDetails, Details, Event, Reading, Sending, StockResult } from "./operation.js";
import type { Level } from "./level.js";
import type { Transport } from "./transport.js";
/**
 * @import { CountDetails, Details, Event, Line, Reading, Sending, StockResult } from "./operation.js"
 * @import { Level } from "./level.js"
 * @import { Request, Transport } from "./transport.js"
 */
/**
 * `units` are positive whole numbers; the method's name says which way they go.
 *
 * Each method that moves stock is one atomic operation with an Idempotency-Key: one effect at most, exactly one if it
 * returns, and it returns only what is committed and on disk. All throw NotFound for an unknown sku or location,
 * Forbidden,
 * Invalid, and Later once the retries are used up.
 */
export declare class Stock {
    #private;
    /** @param {Transport} transport */
    constructor(transport: Transport);
    /**
     * The level in the ledger, exact at the time of reading: version 0 if nothing was ever booked.
     *
     * @param {string} sku
     * @param {string} location
     * @param {Reading} [how]
     * @returns {Promise<Level>}
     */
    get(sku: string, location: string, { signal }?: Reading): Promise<Level>;
    /**
     * `units` leave the location. Throws OutOfStock if fewer are available; then nothing has changed.
     *
     * @param {string} sku
     * @param {string} location
     * @param {number} [units]
     * @param {Details & Sending} [how]
     */
    sell(sku: string, location: string, units?: number, how?: Details & Sending): Promise<StockResult>;
    /**
     * `units` arrive at the location, such as a delivery.
     *
     * @param {string} sku
     * @param {string} location
     * @param {number} units
     * @param {Details & Sending} [how]
     */
    receive(sku: string, location: string, units: number, how?: Details & Sending): Promise<StockResult>;
    /**
     * `units` come back from a customer and can be sold again.
     *
     * @param {string} sku
     * @param {string} location
     * @param {number} [units]
     * @param {Details & Sending} [how]
     */
    return_(sku: string, location: string, units?: number, how?: Details & Sending): Promise<StockResult>;
    /**
     * `units` are broken, lost or stolen. Throws OutOfStock if fewer are available.
     *
     * @param {string} sku
     * @param {string} location
     * @param {number} units
     * @param {Details & Sending} [how]
     */
    writeOff(sku: string, location: string, units: number, how?: Details & Sending): Promise<StockResult>;
    /**
     * On hand was wrong by `difference` units, in either direction, not 0. Throws OutOfStock.
     *
     * @param {string} sku
     * @param {string} location
     * @param {number} difference
     * @param {Details & Sending} [how]
     */
    adjust(sku: string, location: string, difference: number, how?: Details & Sending): Promise<StockResult>;
    /**
     * Somebody counted `onHand` units on the shelf. Throws VersionConflict, BelowReserved.
     *
     * @param {string} sku
     * @param {string} location
     * @param {number} onHand
     * @param {CountDetails & Sending} how
     */
    count(sku: string, location: string, onHand: number, how: CountDetails & Sending): Promise<StockResult>;
    /**
     * The events of the level behind `afterVersion`, oldest first: the audit trail, fetched page by page.
     *
     * @param {string} sku
     * @param {string} location
     * @param {Reading & { afterVersion?: number }} [how]
     * @returns {AsyncGenerator<Event, void, void>}
     */
    history(sku: string, location: string, { afterVersion, signal }?: Reading & {
        afterVersion?: number;
    }): AsyncGenerator<Event, void, void>;
}
