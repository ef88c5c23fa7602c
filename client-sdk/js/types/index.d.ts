export type Level = import("./level.js").Level;
export type Availability = import("./level.js").Availability;
export type Threshold = import("./level.js").Threshold;
export type ClientOptions = import("./client.js").ClientOptions;
export type State = import("./view.js").State;
export type Line = import("./operation.js").Line;
export type Count = import("./operation.js").Count;
export type Event = import("./operation.js").Event;
export type Operation = import("./operation.js").Operation;
export type OperationResult = import("./operation.js").OperationResult;
export type StockResult = import("./operation.js").StockResult;
export type Outcome = import("./operation.js").Outcome;
export type Wanted = import("./reservation.js").Wanted;
export type Reservation = import("./reservation.js").Reservation;
export type ReservationResult = import("./reservation.js").ReservationResult;
export type Transfer = import("./transfer.js").Transfer;
export type TransferResult = import("./transfer.js").TransferResult;
export type View<T extends import("./level.js").Watched = import("./level.js").Watched> = import("./view.js").View<T>;
/**
 * The client of Stockwire. Its types have these names as well:
 *
 * @typedef {import("./level.js").Level} Level
 * @typedef {import("./level.js").Availability} Availability
 * @typedef {import("./level.js").Threshold} Threshold
 * @typedef {import("./client.js").ClientOptions} ClientOptions
 * @typedef {import("./view.js").State} State
 * @typedef {import("./operation.js").Line} Line
 * @typedef {import("./operation.js").Count} Count
 * @typedef {import("./operation.js").Event} Event
 * @typedef {import("./operation.js").Operation} Operation
 * @typedef {import("./operation.js").OperationResult} OperationResult
 * @typedef {import("./operation.js").StockResult} StockResult
 * @typedef {import("./operation.js").Outcome} Outcome
 * @typedef {import("./reservation.js").Wanted} Wanted
 * @typedef {import("./reservation.js").Reservation} Reservation
 * @typedef {import("./reservation.js").ReservationResult} ReservationResult
 * @typedef {import("./transfer.js").Transfer} Transfer
 * @typedef {import("./transfer.js").TransferResult} TransferResult
 */
/**
 * @template {import("./level.js").Watched} [T=import("./level.js").Watched]
 * @typedef {import("./view.js").View<T>} View
 */
export { StockClient } from "./stock_client.js";
export { BadToken, ConfigurationError, Forbidden, Invalid, Later, NotFound, StockwireError, StreamRefused, TokenExpired, Unauthorized, Unavailable, } from "./errors.js";
export { BelowReserved, HoldLimit, IdempotencyMismatch, InFlight, OutOfStock, OutcomeUnknown, Overloaded, RateLimited, Refused, ReservationExpired, ReservationState, TooLarge, TransferState, UnexpectedAnswer, VersionConflict, } from "./refusals.js";
export { adjustment, counted, receipt, returned, sale, writeOff } from "./operation.js";
export { held, heldFrom } from "./reservation.js";
