/**
 * What can go wrong, and the numbers of it.
 *
 *     StockwireError                  key
 *     ├── ConfigurationError          the system is not set up for this: the message says the fix
 *     ├── Invalid                     field, reason: this request can never succeed
 *     │   ├── IdempotencyMismatch     the key was used before with another request
 *     │   └── TooLarge                bytes_max
 *     ├── Unauthorized                no valid key or token
 *     │   └── BadToken                a hub turned the token down
 *     │       └── TokenExpired
 *     ├── Forbidden                   scope
 *     ├── NotFound                    field, value
 *     ├── Refused                     decided on a level and remembered: the same key gets the same refusal for ever;
 *     │   │                           itself, if a later ledger says why in a type that is not known here
 *     │   ├── OutOfStock              sku, location, requested, available, locations
 *     │   ├── VersionConflict         expected_version, current
 *     │   ├── BelowReserved           sku, location, on_hand, reserved
 *     │   ├── ReservationState        reservation, state, asked, reason, sku, location, quantity, possible
 *     │   ├── ReservationExpired      reservation, expires_at, sku, location, available, requested
 *     │   ├── TransferState           transfer, state, asked, reason, sku, quantity, possible
 *     │   └── HoldLimit               limit, allowed, held, requested, customer, owner, sku, location; the one that is
 *     │                               not remembered: the same key may be sent again once less is held
 *     ├── Later                       retry_after_s: the same request with the same key may be sent again
 *     │   ├── RateLimited
 *     │   ├── Overloaded
 *     │   ├── InFlight                the same key is being worked on elsewhere
 *     │   ├── Unavailable             nobody there, or the database is away; nothing was written by this call
 *     │   └── OutcomeUnknown          it may have been written: ask again with the same key
 *     ├── StreamRefused               code, reason: a hub ended the stream for good
 *     └── UnexpectedAnswer            status: the answer is none of Stockwire's
 *
 * Names and numbers are those of the Python client's `stockwire.errors`. Fields have the names that problem documents
 * give them, units last; a field that the ledger did not name is undefined. `key` is the Idempotency-Key of the call
 * that failed: giving it to the same call again, even from another process and after days, has no second effect.
 *
 * Those that only commands throw lie in `refusals.js`: what watches does without them.
 */
export type With<Base extends Error, Fields> = new (message: string, fields: Fields) => Base & Fields;
export type WithSome<Base extends Error, Fields> = new (message: string, fields?: Fields) => Base & Fields;
/**
 * A class of errors whose fields are given at once.
 *
 * @template {Error} Base
 * @template Fields
 * @typedef {new (message: string, fields: Fields) => Base & Fields} With
 */
/**
 * @template {Error} Base
 * @template Fields
 * @typedef {new (message: string, fields?: Fields) => Base & Fields} WithSome
 */
/** Root of everything that this package throws on purpose. */
export declare class StockwireError extends Error {
    /** @type {string | undefined} The Idempotency-Key of the call that failed. */
    key: string | undefined;
    /**
     * @param {string} message
     * @param {object} [fields]
     */
    constructor(message: string, fields?: object);
}
export declare class ConfigurationError extends StockwireError {
}
declare const Invalid_base: With<StockwireError, {
    field: string;
    reason: string;
}>;
/** `field`: path of what is wrong, such as `lines[2].quantity`. */
export declare class Invalid extends /** @type {With<StockwireError, {field: string, reason: string}>} */ /** @type {With<StockwireError, {field: string, reason: string}>} */ Invalid_base {
}
export declare class Unauthorized extends StockwireError {
}
export declare class BadToken extends Unauthorized {
}
export declare class TokenExpired extends BadToken {
}
declare const Forbidden_base: WithSome<StockwireError, {
    scope?: string | undefined;
}>;
/** `scope`: what the key or token lacks; undefined where the server does not say. */
export declare class Forbidden extends /** @type {WithSome<StockwireError, {scope?: string | undefined}>} */ /** @type {WithSome<StockwireError, {scope?: string | undefined}>} */ Forbidden_base {
}
declare const NotFound_base: WithSome<StockwireError, {
    field?: string | undefined;
    value?: string | undefined;
}>;
/** `field`: `sku`, `location` or another noun of the API; `value`: what was asked for. */
export declare class NotFound extends /**
 * @type {WithSome<StockwireError, {field?: string | undefined, value?: string | undefined}>}
 */ /**
 * @type {WithSome<StockwireError, {field?: string | undefined, value?: string | undefined}>}
 */ NotFound_base {
}
declare const Later_base: WithSome<StockwireError, {
    retry_after_s?: number | undefined;
}>;
/** `retry_after_s`: how long the server asked to wait, in seconds; undefined where it did not say. */
export declare class Later extends /**
 * @type {WithSome<StockwireError, {
 *   retry_after_s?: number | undefined,
 * }>}
 */ /**
 * @type {WithSome<StockwireError, {
 *   retry_after_s?: number | undefined,
 * }>}
 */ Later_base {
}
export declare class Unavailable extends Later {
}
declare const StreamRefused_base: With<StockwireError, {
    reason: string;
    code?: number;
}>;
/** `code`: the WebSocket close code; undefined if the hub answered with an error message instead. */
export declare class StreamRefused extends /**
 * @type {With<StockwireError, {
 *   reason: string, code?: number,
 * }>}
 */ /**
 * @type {With<StockwireError, {
 *   reason: string, code?: number,
 * }>}
 */ StreamRefused_base {
}
/**
 * Names that a bundler shortens are still said in full.
 *
 * @param {Record<string, Function>} classes
 */
export declare function named(classes: Record<string, Function>): void;
/**
 * @param {string} field
 * @param {string} reason
 */
export declare const invalid: (field: string, reason: string) => Invalid;
export {};
