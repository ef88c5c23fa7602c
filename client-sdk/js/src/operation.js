/** What an operation asks for, line by line, and what it changed. */
import { UNITS_MAX, name, optional, text, whole } from "./argument.js";
import { invalid } from "./errors.js";

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
export class Line {
  /**
   * @param {string} sku
   * @param {string} location
   * @param {number} quantity
   * @param {string} kind
   * @param {Details} [details]
   */
  constructor(sku, location, quantity, kind, { reference, reason, occurredAt, expectedVersion } = {}) {
    this.sku = name("sku", sku);
    this.location = name("location", location);
    this.quantity = quantity;
    this.kind = kind;
    this.reference = optional(text, "reference", reference);
    this.reason = optional(text, "reason", reason);
    this.occurred_at = optional(moment, "occurredAt", occurredAt);
    this.expected_version = optional(whole, "expectedVersion", expectedVersion);
    Object.freeze(this);
  }
}

/** `onHand` units were counted on the shelf: for `operations`. Made by `counted`. */
export class Count {
  /**
   * @param {string} sku
   * @param {string} location
   * @param {number} onHand
   * @param {CountDetails} details
   */
  constructor(sku, location, onHand, { expectedVersion, reference, reason }) {
    this.sku = name("sku", sku);
    this.location = name("location", location);
    this.on_hand = whole("onHand", onHand, 0, UNITS_MAX);
    if (expectedVersion === undefined) throw invalid("expectedVersion", "say which was counted against; null: any");
    this.expected_version = optional(whole, "expectedVersion", expectedVersion) ?? null;
    this.reference = optional(text, "reference", reference);
    this.reason = optional(text, "reason", reason);
    Object.freeze(this);
  }
}

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
export const sale = (sku, location, units = 1, details) => new Line(sku, location, -positive(units), "sale", details);

/**
 * `units` arrive at the location.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} units
 * @param {Details} [details]
 */
export const receipt = (sku, location, units, details) => new Line(sku, location, positive(units), "receipt", details);

/**
 * `units` come back from a customer.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} [units]
 * @param {Details} [details]
 */
export const returned = (sku, location, units = 1, details) =>
  new Line(sku, location, positive(units), "return", details);

/**
 * `units` are broken, lost or stolen.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} units
 * @param {Details} [details]
 */
export const writeOff = (sku, location, units, details) =>
  new Line(sku, location, -positive(units), "write_off", details);

/**
 * On hand was wrong by `difference` units, in either direction.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number} difference
 * @param {Details} [details]
 */
export const adjustment = (sku, location, difference, details) =>
  new Line(sku, location, whole("difference", difference, -UNITS_MAX, UNITS_MAX), "adjustment", details);

/**
 * @param {string} sku
 * @param {string} location
 * @param {number} onHand
 * @param {CountDetails} details
 */
export const counted = (sku, location, onHand, details) => new Count(sku, location, onHand, details);

/** @param {number} units */
const positive = (units) => whole("units", units, 1, UNITS_MAX);

/**
 * @param {string} field
 * @param {unknown} value
 */
function moment(field, value) {
  if (!(value instanceof Date) || isNaN(+value)) throw invalid(field, "is no Date");
  return value.toISOString();
}
