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
export class StockwireError extends Error {
  /**
   * @param {string} message
   * @param {object} [fields]
   */
  constructor(message, fields) {
    super(message);
    /** @type {string | undefined} The Idempotency-Key of the call that failed. */
    this.key = undefined;
    Object.assign(this, fields);
  }
}

export class ConfigurationError extends StockwireError {}

/** `field`: path of what is wrong, such as `lines[2].quantity`. */
export class Invalid extends /** @type {With<StockwireError, {field: string, reason: string}>} */ (StockwireError) {}

export class Unauthorized extends StockwireError {}
export class BadToken extends Unauthorized {}
export class TokenExpired extends BadToken {}

/** `scope`: what the key or token lacks; undefined where the server does not say. */
export class Forbidden extends /** @type {WithSome<StockwireError, {scope?: string | undefined}>} */ (StockwireError) {}

/** `field`: `sku`, `location` or another noun of the API; `value`: what was asked for. */
export class NotFound extends /**
 * @type {WithSome<StockwireError, {field?: string | undefined, value?: string | undefined}>}
 */ (StockwireError) {}

/** `retry_after_s`: how long the server asked to wait, in seconds; undefined where it did not say. */
export class Later extends /**
 * @type {WithSome<StockwireError, {
 *   retry_after_s?: number | undefined,
 * }>}
 */ (StockwireError) {}
export class Unavailable extends Later {}

/** `code`: the WebSocket close code; undefined if the hub answered with an error message instead. */
export class StreamRefused extends /**
 * @type {With<StockwireError, {
 *   reason: string, code?: number,
 * }>}
 */ (StockwireError) {}

named({
  StockwireError, ConfigurationError, Invalid, Unauthorized, BadToken, TokenExpired, Forbidden, NotFound, Later,
  Unavailable, StreamRefused,
});

/**
 * Names that a bundler shortens are still said in full.
 *
 * @param {Record<string, Function>} classes
 */
export function named(classes) {
  for (const [name, made] of Object.entries(classes)) made.prototype.name = name;
}

/**
 * @param {string} field
 * @param {string} reason
 */
export const invalid = (field, reason) => new Invalid(`${field}: ${reason}`, { field, reason });
