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
export {
  BadToken, ConfigurationError, Forbidden, Invalid, Later, NotFound, StockwireError, StreamRefused, TokenExpired,
  Unauthorized, Unavailable,
} from "./errors.js";
export {
  BelowReserved, HoldLimit, IdempotencyMismatch, InFlight, OutOfStock, OutcomeUnknown, Overloaded, RateLimited, Refused,
  ReservationExpired, ReservationState, TooLarge, TransferState, UnexpectedAnswer, VersionConflict,
} from "./refusals.js";
export { adjustment, counted, receipt, returned, sale, writeOff } from "./operation.js";
export { held, heldFrom } from "./reservation.js";
