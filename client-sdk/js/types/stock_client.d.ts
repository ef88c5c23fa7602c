/** `StockClient`: what watches, and every command and read of a ledger, which is loaded when it is first used. */
import { StockClient as WatchingClient } from "./client.js";
import type { ClientOptions } from "./client.js";
import type { TransportOptions } from "./transport.js";
/**
 * @import { ClientOptions } from "./client.js"
 * @import { GetToken } from "./link.js"
 * @import { Ledger } from "./ledger.js"
 * @import { TransportOptions } from "./transport.js"
 */
/** A page that only watches, as most do, loads none of what sells and counts. */
export declare class StockClient extends WatchingClient {
    /** Stock of single skus, read and moved. */
    stock: import("./stock.js").Stock;
    /** Units that are held until they are paid for. */
    reservations: import("./reservation.js").Reservations;
    /** Units on their way from one location to another. */
    transfers: import("./transfer.js").Transfers;
    /** All lines or none, as one operation: see `Ledger.operation`. */
    operation: (lines: Iterable<import("./operation.js").Line>, { key, signal }?: import("./operation.js").Sending) => Promise<import("./operation.js").OperationResult>;
    /** Many operations in few requests, each on its own. */
    operations: (batch: Iterable<import("./operation.js").Operation>, { signal }?: import("./operation.js").Reading) => Promise<import("./operation.js").Outcome[]>;
    /** What became of operations, by their keys. */
    outcomes: (keys: Iterable<string>, { signal }?: import("./operation.js").Reading) => Promise<import("./operation.js").Outcome[]>;
    /** The levels of these `[location, sku]`, in this order. */
    levelsOf: (keys: Iterable<readonly [string, string]>, { signal }?: import("./operation.js").Reading) => Promise<import("./level.js").Level[]>;
    /** Every level of a location, page by page. */
    levels: (location?: string | null, { signal }?: import("./operation.js").Reading) => AsyncGenerator<import("./level.js").Level, void, void>;
    /** @param {ClientOptions & Pick<TransportOptions, "trace" | "timeout_s" | "maxRetries" | "retryFor_s">} options */
    constructor({ getToken, ...others }: ClientOptions & Pick<TransportOptions, "trace" | "timeout_s" | "maxRetries" | "retryFor_s">);
}
