/** Transfers: units on their way from one location to another. */
import { UNITS_MAX, flag, idOf, keyOf, name, optional, seconds, text, whole } from "./argument.js";
import { invalid } from "./errors.js";
import { AGE_S_MAX } from "./reservation.js";
import { changed } from "./result.js";

/**
 * @import { OperationResult, Reading, Sending } from "./operation.js"
 * @import { Transport } from "./transport.js"
 *
 * @typedef {Readonly<{
 *   sku: string, quantity: number, in_transit: number, received: number, returned: number, lost: number,
 * }>} TransferLine  What became of the units of one sku; `quantity`: all that were sent. Those `in_transit` are at
 *   neither
 *   end, `lost` ones have left the books.
 *
 * @typedef {Readonly<{
 *   id: string, state: string, owner: string, from: string, to: string, reference: string | null, version: number,
 *   created_at: string, lines: readonly TransferLine[],
 * }>} Transfer  As it stood when the ledger answered. `state`: `in_transit` as long as units are; then `received` if
 *   any
 *   arrived, else `lost` if any are, else `returned`; a later ledger may know more.
 *
 * @typedef {Transfer & Readonly<{ result: OperationResult }>} TransferResult  `result`: what the call did to levels.
 *
 * @typedef {Record<string, number | null> | Map<string, number | null>} Units  By sku; null: all of it in transit.
 *
 * @typedef {Sending & { units?: Units | null | undefined, reason?: string | undefined }} TransferParts  `units`: absent
 *   for
 *   all that is in transit.
 */

const PATH = "/v1/transfers";

/** Each call is one atomic step with an Idempotency-Key. All throw TransferState for more than is in transit. */
export class Transfers {
  #transport;

  /** @param {Transport} transport */
  constructor(transport) {
    this.#transport = transport;
  }

  /**
   * Takes units from `source` and puts them on their way to `target`, all of up to 500 skus or none. Throws OutOfStock;
   * then nothing has left.
   *
   * @param {string} source
   * @param {string} target
   * @param {Record<string, number> | Map<string, number>} units
   * @param {Sending & { reference?: string }} [how]
   */
  async send(source, target, units, { reference, ...how } = {}) {
    const lines = linesOf(units);
    const open = lines.find(({ quantity }) => quantity === undefined);
    if (open) throw invalid(`units[${open.sku}]`, "say how many are sent");
    const body = {
      from: name("source", source),
      to: name("target", target),
      lines,
      reference: optional(text, "reference", reference),
    };
    return this.#change(PATH, body, how);
  }

  /**
   * How it stands now.
   *
   * @param {string} id
   * @param {Reading} [how]
   * @returns {Promise<Transfer>}
   */
  async get(id, { signal } = {}) {
    return this.#transport.call({ path: pathOf(id), signal }, (document) => /** @type {any} */ (document));
  }

  /**
   * Those that come from or go to a location that may be read, the oldest first, fetched page by page.
   *
   * @param {Reading & { source?: string, target?: string, state?: string, reference?: string, olderThan_s?: number }}
   *   [asked]
   * @returns {AsyncGenerator<Transfer, void, void>}
   */
  list({ source, target, state, reference, olderThan_s, signal } = {}) {
    const query = {
      from: optional(name, "source", source),
      to: optional(name, "target", target),
      state: optional(text, "state", state),
      reference: optional(text, "reference", reference),
      age_s: optional(seconds, "olderThan_s", olderThan_s, 0, AGE_S_MAX)?.toFixed(6),
    };
    return this.#transport.listing({ path: PATH, query, signal }, "transfers");
  }

  /**
   * Units arrive. The others stay in transit; `close`: nothing more comes, they are lost.
   *
   * @param {string} id
   * @param {TransferParts & { close?: boolean }} [how]
   */
  async receive(id, { close = false, ...how } = {}) {
    return this.#part(id, "receive", { close: flag("close", close) || undefined }, how);
  }

  /**
   * Units are back where they were sent from, or stand at another location, `to`.
   *
   * @param {string} id
   * @param {TransferParts & { to?: string }} [how]
   */
  async return_(id, { to, ...how } = {}) {
    return this.#part(id, "return", { to: optional(name, "to", to) }, how);
  }

  /**
   * What is missing does not come any more: it leaves the books as lost.
   *
   * @param {string} id
   * @param {TransferParts} [how]
   */
  async close(id, how) {
    return this.#part(id, "close", {}, how);
  }

  /**
   * @param {string} id
   * @param {string} step
   * @param {object} said
   * @param {TransferParts} [how]
   */
  #part(id, step, said, { units, reason, ...how } = {}) {
    const body = { lines: units ? linesOf(units) : undefined, reason: optional(text, "reason", reason), ...said };
    return this.#change(`${pathOf(id)}/${step}`, body, how);
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {Sending} how
   * @returns {Promise<TransferResult>}
   */
  async #change(path, body, { key, signal }) {
    const sent = keyOf(key);
    return this.#transport.call({ path, body, key: sent, signal }, (document, answer) =>
      changed(document, "transfer", answer, sent),
    );
  }
}

/** @param {Units} units */
function linesOf(units) {
  const named = units instanceof Map ? [...units] : Object.entries(Object(units));
  if (!named.length) throw invalid("units", 'none is named: they are such as {"A-100": 2}');
  return named.map(([sku, quantity]) => ({
    sku: name("units", sku),
    quantity: optional(whole, `units[${sku}]`, quantity, 1, UNITS_MAX),
  }));
}

/** @param {string} id */
const pathOf = (id) => `${PATH}/${idOf("transfer", id)}`;
