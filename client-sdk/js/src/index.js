/** The client of Stockwire. */
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
