/** The client of Stockwire. */
export { StockClient } from "./client.js";
export { BadToken, BelowReserved, ConfigurationError, Forbidden, HoldLimit, IdempotencyMismatch, InFlight, Invalid, Later, NotFound, OutOfStock, OutcomeUnknown, Overloaded, RateLimited, Refused, ReservationExpired, ReservationState, StockwireError, StreamRefused, TokenExpired, TooLarge, TransferState, Unauthorized, Unavailable, UnexpectedAnswer, VersionConflict, } from "./errors.js";
