/** The errors of commands: what was decided against, and what may be sent again. The tree stands in `errors.js`. */
import { Invalid, Later, StockwireError, named } from "./errors.js";

/**
 * @import { Level } from "./level.js"
 * @import { With } from "./errors.js"
 */

export class IdempotencyMismatch extends Invalid {}

export class TooLarge extends /**
 * @type {With<Invalid, {
 *   field: string, reason: string, bytes_max?: number,
 * }>}
 */ (Invalid) {}

export class Refused extends StockwireError {}

/**
 * Quantities in units; nothing was taken. `locations`: what is available at each, where a line of a reservation named
 * several, else undefined. `location` is then the first of them, and `available` the most that the line could have had.
 */
export class OutOfStock extends /**
 * @type {With<Refused, {
 *   sku: string, location: string, requested: number, available: number, locations?: Readonly<Record<string,
 *   number>>,
 * }>}
 */ (Refused) {}

/** `current`: the level as it stood when the request was decided. */
export class VersionConflict extends /**
 * @type {With<Refused, {
 *   expected_version: number, current: Pick<Level, "sku" | "location" | "version" | "on_hand" | "reserved" |
 *   "available">,
 * }>}
 */ (Refused) {}

/** `on_hand`: the units counted; `reserved`: the units promised to somebody. */
export class BelowReserved extends /**
 * @type {With<Refused, {
 *   sku: string, location: string, on_hand: number, reserved: number,
 * }>}
 */ (Refused) {}

/**
 * `state`: the one that the reservation is in, which does not allow what was `asked`. `sku`, `location`, `quantity` and
 * `possible`: of a line of which more units were named than it can be done with.
 */
export class ReservationState extends /**
 * @type {With<Refused, {
 *   reservation: string, state: string, asked: string, reason: string, sku?: string, location?: string,
 *   quantity?: number, possible?: number,
 * }>}
 */ (Refused) {}

/**
 * Its units were let go of at `expires_at` (RFC 3339). `sku`, `location`, `available` and `requested`: of the line that
 * was to be committed all the same and of which too little is left.
 */
export class ReservationExpired extends /**
 * @type {With<Refused, {
 *   reservation: string, expires_at: string, sku?: string, location?: string, available?: number, requested?:
 *   number,
 * }>}
 */ (Refused) {}

/** Fewer units of the transfer are in transit than were `asked` for: receive, return or close. */
export class TransferState extends /**
 * @type {With<Refused, {
 *   transfer: string, state: string, asked: string, reason: string, sku?: string, quantity?: number, possible?:
 *   number,
 * }>}
 */ (Refused) {}

/**
 * A limit against hoarding: no stock is missing. `limit`: its name; `allowed`: at most so many; `held`: so many are;
 * `requested`: so many more were asked for. The last four: what it is a limit of.
 */
export class HoldLimit extends /**
 * @type {With<Refused, {
 *   limit: string, allowed: number, held: number, requested: number, customer?: string, owner?: string, sku?:
 *   string, location?: string,
 * }>}
 */ (Refused) {}

export class RateLimited extends Later {}

export class Overloaded extends Later {}

export class InFlight extends Later {}

export class OutcomeUnknown extends Later {}

export class UnexpectedAnswer extends /** @type {With<StockwireError, {status: number}>} */ (StockwireError) {}

named({
  IdempotencyMismatch, TooLarge, Refused, OutOfStock, VersionConflict, BelowReserved, ReservationState,
  ReservationExpired, TransferState, HoldLimit, RateLimited, Overloaded, InFlight, OutcomeUnknown, UnexpectedAnswer,
});
