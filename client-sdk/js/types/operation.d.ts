import type { Level } from "./level.js";
import type { StockwireError } from "./errors.js";
export type Details = {
    /**
     * An order or receipt number.
     */
    reference?: string | null | undefined;
    reason?: string | null | undefined;
    /**
     * When it happened, if not just now.
     */
    occurredAt?: Date | null | undefined;
    /**
     * Refused unless the level stands at this version.
     */
    expectedVersion?: number | null | undefined;
};
export type Sending = {
    /**
     * The Idempotency-Key to use instead of a new one: the same key has one effect.
     */
    key?: string | undefined;
    /**
     * Ends the call; what may have been written by then is OutcomeUnknown.
     */
    signal?: AbortSignal | undefined;
};
export type Reading = {
    signal?: AbortSignal | undefined;
};
export type Event = Readonly<{
    shard: number;
    seq: number;
    sku: string;
    location: string;
    version: number;
    kind: string;
    on_hand_delta: number;
    reserved_delta: number;
    on_hand: number;
    reserved: number;
    available: number;
    operation: string;
    actor: string;
    reason: string | null;
    reference: string | null;
    occurred_at: string | null;
    committed_at: string;
}>;
export type OperationResult = Readonly<{
    operation: string;
    events: readonly Event[];
    levels: readonly Level[];
    key: string;
    replayed: boolean;
}>;
export type StockResult = OperationResult & Readonly<{
    level: Level;
}>;
export type Operation = {
    key: string;
    lines: Iterable<Line>;
} | {
    key: string;
    count: Count;
};
export type Outcome = Readonly<{
    key: string;
    operation: string | null;
    replayed: boolean;
    error: StockwireError | null;
    lines: readonly any[];
}>;
/**
 * @import { Level } from "./level.js"
 * @import { StockwireError } from "./errors.js"
 *
 * @typedef {object} Details  The other fields of a line.
 * @property {string | null | undefined} [reference]  An order or receipt number.
 * @property {string | null | undefined} [reason]
 * @property {Date | null | undefined} [occurredAt]  When it happened, if not just now.
 * @property {number | null | undefined} [expectedVersion]  Refused unless the level stands at this version.
 *
 * @typedef {object} Sending  How a call is sent.
 * @property {string | undefined} [key]  The Idempotency-Key to use instead of a new one: the same key has one effect.
 * @property {AbortSignal | undefined} [signal]  Ends the call; what may have been written by then is OutcomeUnknown.
 *
 * @typedef {{ signal?: AbortSignal | undefined }} Reading
 *
 * @typedef {Readonly<{
 *   shard: number, seq: number, sku: string, location: string, version: number, kind: string, on_hand_delta: number,
 *   reserved_delta: number, on_hand: number, reserved: number, available: number, operation: string, actor: string,
 *   reason: string | null, reference: string | null, occurred_at: string | null, committed_at: string,
 * }>} Event  One committed change of one level by one operation: a line of the audit trail.
 *
 * @typedef {Readonly<{
 *   operation: string, events: readonly Event[], levels: readonly Level[], key: string, replayed: boolean,
 * }>} OperationResult  A committed operation, whole: every line of it happened, once. `levels`: each touched level as
 *   this
 *   operation left it; others may have moved it since. `replayed`: the key had been used before, this is its answer.
 *
 * @typedef {OperationResult & Readonly<{ level: Level }>} StockResult  Of an operation on one level.
 *
 * @typedef {{ key: string, lines: Iterable<Line> } | { key: string, count: Count }} Operation  One of many sent
 *   together.
 *
 * @typedef {Readonly<{
 *   key: string, operation: string | null, replayed: boolean, error: StockwireError | null, lines: readonly any[],
 * }>} Outcome  What became of one of many: `error` is what it alone would have thrown, null if it was committed.
 *   `lines`:
 *   what was asked for then, where that was the question.
 */
/** Units to add (negative: to take away). Made by `sale`, `receipt`, `returned`, `writeOff` and `adjustment`. */
export declare class Line {
    sku: string;
    location: string;
    quantity: number;
    kind: string;
    reference: string | undefined;
    reason: string | undefined;
    occurred_at: string | undefined;
    expected_version: number | undefined;
    /**
     * @param {string} sku
     * @param {string} location
     * @param {number} quantity
     * @param {string} kind
     * @param {Details} [details]
     */
    constructor(sku: string, location: string, quantity: number, kind: string, { reference, reason, occurredAt, expectedVersion }?: Details);
}
/** `onHand` units were counted on the shelf: for `operations`. Made by `counted`. */
export declare class Count {
    sku: string;
    location: string;
    on_hand: number;
    expected_version: number | null;
    reference: string | undefined;
    reason: string | undefined;
    /**
     * @param {string} sku
     * @param {string} location
     * @param {number} onHand
     * @param {CountDetails} details
     */
    constructor(sku: string, location: string, onHand: number, { expectedVersion, reference, reason }: CountDetails);
}
export type CountDetails = {
    /**
     * The version that was counted against, so that a sale in between is not
     * counted away; null says in so many words that it does not matter.
     */
    expectedVersion: number | null;
    reference?: string | null | undefined;
    reason?: string | null | undefined;
};
/**
 * @typedef {object} CountDetails
 * @property {number | null} expectedVersion  The version that was counted against, so that a sale in between is not
 *   counted away; null says in so many words that it does not matter.
 * @property {string | null | undefined} [reference]
 * @property {string | null | undefined} [reason]
 */
/**
 * `units` leave the location.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} [units]
 * @param {Details} [details]
 */
export declare const sale: (sku: string, location: string, units?: number, details?: Details) => Line;
/**
 * `units` arrive at the location.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} units
 * @param {Details} [details]
 */
export declare const receipt: (sku: string, location: string, units: number, details?: Details) => Line;
/**
 * `units` come back from a customer.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} [units]
 * @param {Details} [details]
 */
export declare const returned: (sku: string, location: string, units?: number, details?: Details) => Line;
/**
 * `units` are broken, lost or stolen.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} units
 * @param {Details} [details]
 */
export declare const writeOff: (sku: string, location: string, units: number, details?: Details) => Line;
/**
 * On hand was wrong by `difference` units, in either direction.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} difference
 * @param {Details} [details]
 */
export declare const adjustment: (sku: string, location: string, difference: number, details?: Details) => Line;
/**
 * @param {string} sku
 * @param {string} location
 * @param {number} onHand
 * @param {CountDetails} details
 */
export declare const counted: (sku: string, location: string, onHand: number, details: CountDetails) => Count;
