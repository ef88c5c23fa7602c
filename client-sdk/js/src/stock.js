/** Stock of single skus, read and moved. */
import { unreadable } from "./answer.js";
import { keyOf, name, whole } from "./argument.js";
import { invalid } from "./errors.js";
import { adjustment, counted, receipt, returned, sale, writeOff } from "./operation.js";
import { resultOf } from "./result.js";

/**
 * @import { CountDetails, Details, Event, Line, Reading, Sending, StockResult } from "./operation.js"
 * @import { Level } from "./level.js"
 * @import { Request, Transport } from "./transport.js"
 */

/**
 * `units` are positive whole numbers; the method's name says which way they go.
 *
 * Each method that moves stock is one atomic operation with an Idempotency-Key: one effect at most, exactly one if it
 * returns, and it returns only what is committed and on disk. All throw NotFound for an unknown sku or location,
 * Forbidden,
 * Invalid, and Later once the retries are used up.
 */
export class Stock {
  #transport;

  /** @param {Transport} transport */
  constructor(transport) {
    this.#transport = transport;
  }

  /**
   * The level in the ledger, exact at the time of reading: version 0 if nothing was ever booked.
   *
   * @param {string} sku
   * @param {string} location
   * @param {Reading} [how]
   * @returns {Promise<Level>}
   */
  async get(sku, location, { signal } = {}) {
    return this.#transport.call({ path: levelPath(sku, location), signal }, (document, { status }) => {
      if (!Number.isInteger(document.version)) throw unreadable("the answer cannot be read: it is no level", status);
      return /** @type {Level} */ (document);
    });
  }

  /**
   * `units` leave the location. Throws OutOfStock if fewer are available; then nothing has changed.
   *
   * @param {string} sku
   * @param {string} location
   * @param {number} [units]
   * @param {Details & Sending} [how]
   */
  async sell(sku, location, units = 1, how) {
    return this.#move(sale(sku, location, units, how), how);
  }

  /**
   * `units` arrive at the location, such as a delivery.
   *
   * @param {string} sku
   * @param {string} location
   * @param {number} units
   * @param {Details & Sending} [how]
   */
  async receive(sku, location, units, how) {
    return this.#move(receipt(sku, location, units, how), how);
  }

  /**
   * `units` come back from a customer and can be sold again.
   *
   * @param {string} sku
   * @param {string} location
   * @param {number} [units]
   * @param {Details & Sending} [how]
   */
  async return_(sku, location, units = 1, how) {
    return this.#move(returned(sku, location, units, how), how);
  }

  /**
   * `units` are broken, lost or stolen. Throws OutOfStock if fewer are available.
   *
   * @param {string} sku
   * @param {string} location
   * @param {number} units
   * @param {Details & Sending} [how]
   */
  async writeOff(sku, location, units, how) {
    return this.#move(writeOff(sku, location, units, how), how);
  }

  /**
   * On hand was wrong by `difference` units, in either direction, not 0. Throws OutOfStock.
   *
   * @param {string} sku
   * @param {string} location
   * @param {number} difference
   * @param {Details & Sending} [how]
   */
  async adjust(sku, location, difference, how) {
    return this.#move(adjustment(sku, location, difference, how), how);
  }

  /**
   * Somebody counted `onHand` units on the shelf. Throws VersionConflict, BelowReserved.
   *
   * @param {string} sku
   * @param {string} location
   * @param {number} onHand
   * @param {CountDetails & Sending} how
   */
  async count(sku, location, onHand, how) {
    const { sku: _, location: __, ...body } = counted(sku, location, onHand, how ?? {});
    return this.#send({ method: "PUT", path: levelPath(sku, location), body }, how);
  }

  /**
   * The events of the level behind `afterVersion`, oldest first: the audit trail, fetched page by page.
   *
   * @param {string} sku
   * @param {string} location
   * @param {Reading & { afterVersion?: number }} [how]
   * @returns {AsyncGenerator<Event, void, void>}
   */
  history(sku, location, { afterVersion = 0, signal } = {}) {
    const after = String(whole("afterVersion", afterVersion, 0));
    return this.#transport.listing({ path: `${levelPath(sku, location)}/events`, signal }, "events", after);
  }

  /**
   * @param {Line} line
   * @param {Sending} [how]
   */
  #move(line, how) {
    return this.#send({ path: "/v1/movements", body: { lines: [line] } }, how);
  }

  /**
   * @param {Request} request
   * @param {Sending} [how]
   * @returns {Promise<StockResult>}
   */
  async #send(request, { key, signal } = {}) {
    const sent = keyOf(key);
    return this.#transport.call({ ...request, key: sent, signal }, (document, answer) => {
      const result = resultOf(document, answer, sent);
      return Object.freeze({ ...result, level: /** @type {Level} */ (result.levels[0]) });
    });
  }
}

/**
 * @param {string} sku
 * @param {string} location
 */
function levelPath(sku, location) {
  return `/v1/levels/${segment("location", location)}/${segment("sku", sku)}`;
}

/**
 * "." and ".." are good names, but whatever asks by `fetch` resolves them away, however they are written.
 *
 * @param {string} field
 * @param {string} value
 */
function segment(field, value) {
  if (!/^\.\.?$/.test(name(field, value))) return encodeURIComponent(value);
  throw invalid(field, `"${value}" can be no part of a URL: use levelsOf, or operations`);
}
