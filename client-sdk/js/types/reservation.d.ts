import type { OperationResult, Reading, Sending } from "./operation.js";
import type { Transport } from "./transport.js";
export type ReservationLine = Readonly<{
    sku: string;
    location: string;
    quantity: number;
    pending: number;
    committed: number;
    fulfilled: number;
    cancelled: number;
    expired: number;
}>;
export type Reservation = Readonly<{
    id: string;
    state: string;
    owner: string;
    customer: string | null;
    reference: string | null;
    version: number;
    created_at: string;
    expires_at: string | null;
    lines: readonly ReservationLine[];
}>;
export type ReservationResult = Reservation & Readonly<{
    result: OperationResult;
}>;
export type Parts = Sending & {
    lines?: Iterable<Wanted> | null | undefined;
};
export type ReservationsAsked = {
    location?: string;
    /**
     * Needs a location: those that hold units of that level now.
     */
    sku?: string;
    /**
     * `open`: pending or committed.
     */
    state?: string;
    owner?: string;
    customer?: string;
    reference?: string;
    olderThan_s?: number;
};
/** As far back as a ledger looks. */
export declare const AGE_S_MAX: number;
/** Units of one sku. Made by `held`, or by `heldFrom` where several locations may give them. */
export declare class Wanted {
    sku: string;
    locations: readonly string[];
    quantity: number | undefined;
    split: boolean;
    /**
     * @param {string} sku
     * @param {Iterable<string>} locations
     * @param {number | null} quantity
     * @param {boolean} split
     */
    constructor(sku: string, locations: Iterable<string>, quantity: number | null, split: boolean);
}
/**
 * `quantity` units of `sku` at `location`. Of a line of a reservation that is there: null for all units that it can be
 * done with, 0 to let go of it in `reservations.change`.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number | null} [quantity]
 */
export declare const held: (sku: string, location: string, quantity?: number | null) => Wanted;
/**
 * `quantity` units from the first of `locations` that has all of them; `split`: from as many as it takes, in their
 * order.
 * The ledger decides it under one lock: the answer's lines say where they are.
 *
 * @param {string} sku
 * @param {Iterable<string>} locations  In order of preference.
 * @param {number} [quantity]
 * @param {{ split?: boolean }} [how]
 */
export declare const heldFrom: (sku: string, locations: Iterable<string>, quantity?: number, { split }?: {
    split?: boolean;
}) => Wanted;
/**
 * Each call is one atomic step with an Idempotency-Key: one effect at most, exactly one if it returns.
 *
 * All throw ReservationState or ReservationExpired where the reservation does not allow it, and Later once the retries
 * are
 * used up.
 */
export declare class Reservations {
    #private;
    /** @param {Transport} transport */
    constructor(transport: Transport);
    /**
     * Holds all lines or none: 1 to 1,000 of them, no level in two. Throws OutOfStock for the first that cannot be, and
     * HoldLimit; then nothing is held.
     *
     * @param {Iterable<Wanted>} lines
     * @param {Sending & { ttl_s?: number, customer?: string, reference?: string }} [how]  `ttl_s`: whole seconds until
     *   they
     *   are let go of, by default as long as the ledger says. `customer`: an opaque label, by which the ledger may limit.
     */
    reserve(lines: Iterable<Wanted>, { ttl_s, customer, reference, ...how }?: Sending & {
        ttl_s?: number;
        customer?: string;
        reference?: string;
    }): Promise<ReservationResult>;
    /**
     * How it stands now.
     *
     * @param {string} id
     * @param {Reading} [how]
     * @returns {Promise<Reservation>}
     */
    get(id: string, { signal }?: Reading): Promise<Reservation>;
    /**
     * Those of which every location may be read, the oldest first, fetched page by page while you iterate.
     *
     * @param {ReservationsAsked & Reading} [asked]
     * @returns {AsyncGenerator<Reservation, void, void>}
     */
    list({ location, sku, state, owner, customer, reference, olderThan_s, signal }?: ReservationsAsked & Reading): AsyncGenerator<Reservation, void, void>;
    /**
     * It was paid for: the units stay reserved, without an end; `fulfil`: they leave at once. What had expired is taken
     * again if it is there; if not, ReservationExpired says what is left. Safe to repeat, also under another key.
     *
     * @param {string} id
     * @param {Parts & { fulfil?: boolean }} [how]
     */
    commit(id: string, { fulfil, ...how }?: Parts & {
        fulfil?: boolean;
    }): Promise<ReservationResult>;
    /**
     * The goods leave: on hand and reserved fall.
     *
     * @param {string} id
     * @param {Parts} [how]
     */
    fulfil(id: string, how?: Parts): Promise<ReservationResult>;
    /**
     * Lets go of pending and committed units, the pending first.
     *
     * @param {string} id
     * @param {Parts} [how]
     */
    cancel(id: string, how?: Parts): Promise<ReservationResult>;
    /**
     * Keeps the pending units for `ttl_s` seconds from now. Throws HoldLimit if an item may not be held for so long.
     *
     * @param {string} id
     * @param {number} ttl_s
     * @param {Sending} [how]
     */
    extend(id: string, ttl_s: number, how?: Sending): Promise<ReservationResult>;
    /**
     * Changes how many units are pending, as one step: a basket that is edited never loses what it holds. Lines that are
     * not named stay as they are, 0 lets go of one, a new one is added. `ttl_s` counts from now.
     *
     * @param {string} id
     * @param {Iterable<Wanted>} lines
     * @param {Sending & { ttl_s?: number }} [how]
     */
    change(id: string, lines: Iterable<Wanted>, { ttl_s, ...how }?: Sending & {
        ttl_s?: number;
    }): Promise<ReservationResult>;
}
