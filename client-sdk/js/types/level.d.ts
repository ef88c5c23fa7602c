export type Level = Readonly<{
    sku: string;
    location: string;
    version: number;
    on_hand: number;
    reserved: number;
    available: number;
    kind: string | null;
    committed_at: string | null;
    shard: number;
    seq: number;
    traceparent?: string;
}>;
export type Availability = Readonly<{
    sku: string;
    location: string;
    version: number;
    availability: "in_stock" | "low" | "out";
    quantity: string;
}>;
export type Threshold = Readonly<{
    sku: string;
    location: string;
    version: number;
    raised: boolean;
    available?: number | null;
    when: Readonly<{
        at_most?: number;
        at_least?: number;
        until?: number;
    }>;
}>;
export type Watched = Level | Availability | Threshold;
/**
 * What the ledger says of stock, as it stands on the wire; each is frozen.
 *
 * A level is absolute: the newest `version` wins, so that seeing one twice or missing one does no harm. At version 0
 * nothing has ever been booked, `kind` and `committed_at` are null. `traceparent`: of an operation that this change
 * tells, if one is traced and it was told as it happened (W3C Trace Context).
 *
 * @typedef {Readonly<{
 *   sku: string, location: string, version: number, on_hand: number, reserved: number, available: number,
 *   kind: string | null, committed_at: string | null, shard: number, seq: number, traceparent?: string,
 * }>} Level
 *
 * What the public sees of a level. `version` counts the changes of this, and is the same on every hub; `quantity`: the
 * largest public step that is available, with a plus (`10+`), or `0`.
 *
 * @typedef {Readonly<{
 *   sku: string, location: string, version: number, availability: "in_stock" | "low" | "out", quantity: string,
 * }>} Availability
 *
 * On which side of a threshold a level stands. `available`: its units when it crossed; not of what the public sees.
 *
 * @typedef {Readonly<{
 *   sku: string, location: string, version: number, raised: boolean, available?: number | null,
 *   when: Readonly<{ at_most?: number, at_least?: number, until?: number }>,
 * }>} Threshold
 *
 * @typedef {Level | Availability | Threshold} Watched
 */
export {};
