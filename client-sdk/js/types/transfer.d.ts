import type { OperationResult, Reading, Sending } from "./operation.js";
import type { Transport } from "./transport.js";
export type TransferLine = Readonly<{
    sku: string;
    quantity: number;
    in_transit: number;
    received: number;
    returned: number;
    lost: number;
}>;
export type Transfer = Readonly<{
    id: string;
    state: string;
    owner: string;
    from: string;
    to: string;
    reference: string | null;
    version: number;
    created_at: string;
    lines: readonly TransferLine[];
}>;
export type TransferResult = Transfer & Readonly<{
    result: OperationResult;
}>;
export type Units = Record<string, number | null> | Map<string, number | null>;
export type TransferParts = Sending & {
    units?: Units | null | undefined;
    reason?: string | undefined;
};
/** Each call is one atomic step with an Idempotency-Key. All throw TransferState for more than is in transit. */
export declare class Transfers {
    #private;
    /** @param {Transport} transport */
    constructor(transport: Transport);
    /**
     * Takes units from `source` and puts them on their way to `target`, all of up to 500 skus or none. Throws OutOfStock;
     * then nothing has left.
     *
     * @param {string} source
     * @param {string} target
     * @param {Record<string, number> | Map<string, number>} units
     * @param {Sending & { reference?: string }} [how]
     */
    send(source: string, target: string, units: Record<string, number> | Map<string, number>, { reference, ...how }?: Sending & {
        reference?: string;
    }): Promise<TransferResult>;
    /**
     * How it stands now.
     *
     * @param {string} id
     * @param {Reading} [how]
     * @returns {Promise<Transfer>}
     */
    get(id: string, { signal }?: Reading): Promise<Transfer>;
    /**
     * Those that come from or go to a location that may be read, the oldest first, fetched page by page.
     *
     * @param {Reading & { source?: string, target?: string, state?: string, reference?: string, olderThan_s?: number }}
     *   [asked]
     * @returns {AsyncGenerator<Transfer, void, void>}
     */
    list({ source, target, state, reference, olderThan_s, signal }?: Reading & {
        source?: string;
        target?: string;
        state?: string;
        reference?: string;
        olderThan_s?: number;
    }): AsyncGenerator<Transfer, void, void>;
    /**
     * Units arrive. The others stay in transit; `close`: nothing more comes, they are lost.
     *
     * @param {string} id
     * @param {TransferParts & { close?: boolean }} [how]
     */
    receive(id: string, { close, ...how }?: TransferParts & {
        close?: boolean;
    }): Promise<TransferResult>;
    /**
     * Units are back where they were sent from, or stand at another location, `to`.
     *
     * @param {string} id
     * @param {TransferParts & { to?: string }} [how]
     */
    return_(id: string, { to, ...how }?: TransferParts & {
        to?: string;
    }): Promise<TransferResult>;
    /**
     * What is missing does not come any more: it leaves the books as lost.
     *
     * @param {string} id
     * @param {TransferParts} [how]
     */
    close(id: string, how?: TransferParts): Promise<TransferResult>;
}
