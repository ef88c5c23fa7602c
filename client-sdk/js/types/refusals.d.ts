/** The errors of commands: what was decided against, and what may be sent again. The tree stands in `errors.js`. */
import { Invalid, Later, StockwireError } from "./errors.js";
import type { Level } from "./level.js";
import type { With } from "./errors.js";
/**
 * @import { Level } from "./level.js"
 * @import { With } from "./errors.js"
 */
export declare class IdempotencyMismatch extends Invalid {
}
declare const TooLarge_base: With<Invalid, {
    field: string;
    reason: string;
    bytes_max?: number;
}>;
export declare class TooLarge extends /**
 * @type {With<Invalid, {
 *   field: string, reason: string, bytes_max?: number,
 * }>}
 */ /**
 * @type {With<Invalid, {
 *   field: string, reason: string, bytes_max?: number,
 * }>}
 */ TooLarge_base {
}
export declare class Refused extends StockwireError {
}
declare const OutOfStock_base: With<Refused, {
    sku: string;
    location: string;
    requested: number;
    available: number;
    locations?: Readonly<Record<string, number>>;
}>;
/**
 * Quantities in units; nothing was taken. `locations`: what is available at each, where a line of a reservation named
 * several, else undefined. `location` is then the first of them, and `available` the most that the line could have had.
 */
export declare class OutOfStock extends /**
 * @type {With<Refused, {
 *   sku: string, location: string, requested: number, available: number, locations?: Readonly<Record<string,
 *   number>>,
 * }>}
 */ /**
 * @type {With<Refused, {
 *   sku: string, location: string, requested: number, available: number, locations?: Readonly<Record<string,
 *   number>>,
 * }>}
 */ OutOfStock_base {
}
declare const VersionConflict_base: With<Refused, {
    expected_version: number;
    current: Pick<Level, "sku" | "location" | "version" | "on_hand" | "reserved" | "available">;
}>;
/** `current`: the level as it stood when the request was decided. */
export declare class VersionConflict extends /**
 * @type {With<Refused, {
 *   expected_version: number, current: Pick<Level, "sku" | "location" | "version" | "on_hand" | "reserved" |
 *   "available">,
 * }>}
 */ /**
 * @type {With<Refused, {
 *   expected_version: number, current: Pick<Level, "sku" | "location" | "version" | "on_hand" | "reserved" |
 *   "available">,
 * }>}
 */ VersionConflict_base {
}
declare const BelowReserved_base: With<Refused, {
    sku: string;
    location: string;
    on_hand: number;
    reserved: number;
}>;
/** `on_hand`: the units counted; `reserved`: the units promised to somebody. */
export declare class BelowReserved extends /**
 * @type {With<Refused, {
 *   sku: string, location: string, on_hand: number, reserved: number,
 * }>}
 */ /**
 * @type {With<Refused, {
 *   sku: string, location: string, on_hand: number, reserved: number,
 * }>}
 */ BelowReserved_base {
}
declare const ReservationState_base: With<Refused, {
    reservation: string;
    state: string;
    asked: string;
    reason: string;
    sku?: string;
    location?: string;
    quantity?: number;
    possible?: number;
}>;
/**
 * `state`: the one that the reservation is in, which does not allow what was `asked`. `sku`, `location`, `quantity` and
 * `possible`: of a line of which more units were named than it can be done with.
 */
export declare class ReservationState extends /**
 * @type {With<Refused, {
 *   reservation: string, state: string, asked: string, reason: string, sku?: string, location?: string,
 *   quantity?: number, possible?: number,
 * }>}
 */ /**
 * @type {With<Refused, {
 *   reservation: string, state: string, asked: string, reason: string, sku?: string, location?: string,
 *   quantity?: number, possible?: number,
 * }>}
 */ ReservationState_base {
}
declare const ReservationExpired_base: With<Refused, {
    reservation: string;
    expires_at: string;
    sku?: string;
    location?: string;
    available?: number;
    requested?: number;
}>;
/**
 * Its units were let go of at `expires_at` (RFC 3339). `sku`, `location`, `available` and `requested`: of the line that
 * was to be committed all the same and of which too little is left.
 */
export declare class ReservationExpired extends /**
 * @type {With<Refused, {
 *   reservation: string, expires_at: string, sku?: string, location?: string, available?: number, requested?:
 *   number,
 * }>}
 */ /**
 * @type {With<Refused, {
 *   reservation: string, expires_at: string, sku?: string, location?: string, available?: number, requested?:
 *   number,
 * }>}
 */ ReservationExpired_base {
}
declare const TransferState_base: With<Refused, {
    transfer: string;
    state: string;
    asked: string;
    reason: string;
    sku?: string;
    quantity?: number;
    possible?: number;
}>;
/** Fewer units of the transfer are in transit than were `asked` for: receive, return or close. */
export declare class TransferState extends /**
 * @type {With<Refused, {
 *   transfer: string, state: string, asked: string, reason: string, sku?: string, quantity?: number, possible?:
 *   number,
 * }>}
 */ /**
 * @type {With<Refused, {
 *   transfer: string, state: string, asked: string, reason: string, sku?: string, quantity?: number, possible?:
 *   number,
 * }>}
 */ TransferState_base {
}
declare const HoldLimit_base: With<Refused, {
    limit: string;
    allowed: number;
    held: number;
    requested: number;
    customer?: string;
    owner?: string;
    sku?: string;
    location?: string;
}>;
/**
 * A limit against hoarding: no stock is missing. `limit`: its name; `allowed`: at most so many; `held`: so many are;
 * `requested`: so many more were asked for. The last four: what it is a limit of.
 */
export declare class HoldLimit extends /**
 * @type {With<Refused, {
 *   limit: string, allowed: number, held: number, requested: number, customer?: string, owner?: string, sku?:
 *   string, location?: string,
 * }>}
 */ /**
 * @type {With<Refused, {
 *   limit: string, allowed: number, held: number, requested: number, customer?: string, owner?: string, sku?:
 *   string, location?: string,
 * }>}
 */ HoldLimit_base {
}
export declare class RateLimited extends Later {
}
export declare class Overloaded extends Later {
}
export declare class InFlight extends Later {
}
export declare class OutcomeUnknown extends Later {
}
declare const UnexpectedAnswer_base: With<StockwireError, {
    status: number;
}>;
export declare class UnexpectedAnswer extends /** @type {With<StockwireError, {status: number}>} */ /** @type {With<StockwireError, {status: number}>} */ UnexpectedAnswer_base {
}
export {};
