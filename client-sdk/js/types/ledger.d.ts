import { Line } from "./operation.js";
import { Reservations } from "./reservation.js";
import { Stock } from "./stock.js";
import { Transfers } from "./transfer.js";
import type { Level } from "./level.js";
import type { Operation, OperationResult, Outcome, Reading, Sending } from "./operation.js";
import type { TransportOptions } from "./transport.js";
export declare class Ledger {
    #private;
    stock: Stock;
    reservations: Reservations;
    transfers: Transfers;
    /** @param {TransportOptions} options */
    constructor(options: TransportOptions);
    /**
     * All lines or none: 1 to 1,000 of them, made with `sale`, `receipt` and the others. Lines on the same level are
     * summed
     * into one event. Throws OutOfStock or VersionConflict for the first line that cannot be; then nothing has changed.
     *
     * @param {Iterable<Line>} lines
     * @param {Sending} [how]
     * @returns {Promise<OperationResult>}
     */
    operation(lines: Iterable<Line>, { key, signal }?: Sending): Promise<OperationResult>;
    /**
     * Many operations in few requests, each on its own: one that is refused hurts no other. In the order given; those at
     * one
     * location are decided in it. Nothing is thrown for a single one: look at each outcome's `error`. Throws Invalid or
     * NotFound where one of a request is not valid at all; then nothing of that request was booked. Every one may be sent
     * again, under its key it has one effect.
     *
     * @param {Iterable<Operation>} batch
     * @param {Reading} [how]
     * @returns {Promise<Outcome[]>}
     */
    operations(batch: Iterable<Operation>, { signal }?: Reading): Promise<Outcome[]>;
    /**
     * What became of operations of this client's owner, by their keys: those that were decided, in this order.
     *
     * @param {Iterable<string>} keys
     * @param {Reading} [how]
     * @returns {Promise<Outcome[]>}
     */
    outcomes(keys: Iterable<string>, { signal }?: Reading): Promise<Outcome[]>;
    /**
     * Every level of a location (absent: of all) that has ever moved, fetched page by page while you iterate. Each page
     * is
     * exact when read; stock that moves between two pages is not frozen.
     *
     * @param {string | null} [location]
     * @param {Reading} [how]
     * @returns {AsyncGenerator<Level, void, void>}
     */
    levels(location?: string | null, { signal }?: Reading): AsyncGenerator<Level, void, void>;
    /**
     * The levels of these `[location, sku]`, in this order; one that does not exist reads as version 0.
     *
     * @param {Iterable<readonly [string, string]>} keys
     * @param {Reading} [how]
     * @returns {Promise<Level[]>}
     */
    levelsOf(keys: Iterable<readonly [string, string]>, { signal }?: Reading): Promise<Level[]>;
}
