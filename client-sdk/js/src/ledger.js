/** Every command and read of a ledger: what `StockClient` can do beside watching. */
import { errorOf, unreadable } from "./answer.js";
import { each, keyOf, name, optional, several, text } from "./argument.js";
import { invalid } from "./errors.js";
import { Count, Line } from "./operation.js";
import { Reservations } from "./reservation.js";
import { resultOf } from "./result.js";
import { Stock } from "./stock.js";
import { Transfers } from "./transfer.js";
import { Transport, listIn } from "./transport.js";

/**
 * @import { Level } from "./level.js"
 * @import { Operation, OperationResult, Outcome, Reading, Sending } from "./operation.js"
 * @import { TransportOptions } from "./transport.js"
 */

/** Of one request: operations, and lines of all of them together; levels of one query. */
const MANY_MAX = 1_000;
/** Below the 2 MiB that a ledger takes of a list by default. */
const LIST_BYTES_MAX = 1_600 * 2 ** 10;
/** Below the 256 KiB that a ledger takes of a query by default: 1,000 names may be twice as much. */
const QUERY_BYTES_MAX = 200 * 2 ** 10;

export class Ledger {
  #transport;

  /** @param {TransportOptions} options */
  constructor(options) {
    this.#transport = new Transport(options);
    this.stock = new Stock(this.#transport);
    this.reservations = new Reservations(this.#transport);
    this.transfers = new Transfers(this.#transport);
  }

  /**
   * All lines or none: 1 to 1,000 of them, made with `sale`, `receipt` and the others. Lines on the same level are
   * summed
   * into one event. Throws OutOfStock or VersionConflict for the first line that cannot be; then nothing has changed.
   *
   * @param {Iterable<Line>} lines
   * @param {Sending} [how]
   * @returns {Promise<OperationResult>}
   */
  async operation(lines, { key, signal } = {}) {
    const sent = keyOf(key);
    const request = { path: "/v1/movements", body: { lines: linesOf("lines", lines) }, key: sent, signal };
    return this.#transport.call(request, (document, answer) => resultOf(document, answer, sent));
  }

  /**
   * Many operations in few requests, each on its own: one that is refused hurts no other. In the order given; those at
   * one
   * location are decided in it. Nothing is thrown for a single one: look at each outcome's `error`. Throws Invalid or
   * NotFound where one of a request is not valid at all; then nothing of that request was booked. Every one may be sent
   * again, under its key it has one effect.
   *
   * @param {Iterable<Operation>} batch
   * @param {Reading} [how]
   * @returns {Promise<Outcome[]>}
   */
  async operations(batch, { signal } = {}) {
    const asked = several("batch", batch).map(operationOf);
    const outcomes = [];
    for (const chunk of chunks(asked, LIST_BYTES_MAX, (one) => one.lines?.length ?? 1)) {
      const request = { path: "/v1/operations", body: { operations: chunk }, writes: true, signal };
      outcomes.push(...(await this.#transport.call(request, (document, { status }) => {
        const rows = listIn(document, "results", status);
        if (rows.length !== chunk.length || rows.some((row, number) => row.key !== chunk[number]?.key)) {
          throw unreadable("the results are not those of the operations", status);
        }
        return rows.map(outcomeOf);
      })));
    }
    return outcomes;
  }

  /**
   * What became of operations of this client's owner, by their keys: those that were decided, in this order.
   *
   * @param {Iterable<string>} keys
   * @param {Reading} [how]
   * @returns {Promise<Outcome[]>}
   */
  async outcomes(keys, { signal } = {}) {
    const asked = several("keys", keys).map((key) => keyOf(text("keys", key)));
    return this.#many("/v1/operations/query", "keys", asked, LIST_BYTES_MAX, "operations", outcomeOf, signal);
  }

  /**
   * Every level of a location (absent: of all) that has ever moved, fetched page by page while you iterate. Each page
   * is
   * exact when read; stock that moves between two pages is not frozen.
   *
   * @param {string | null} [location]
   * @param {Reading} [how]
   * @returns {AsyncGenerator<Level, void, void>}
   */
  levels(location, { signal } = {}) {
    const query = { location: optional(name, "location", location) };
    return this.#transport.listing({ path: "/v1/levels", query, signal }, "levels");
  }

  /**
   * The levels of these `[location, sku]`, in this order; one that does not exist reads as version 0.
   *
   * @param {Iterable<readonly [string, string]>} keys
   * @param {Reading} [how]
   * @returns {Promise<Level[]>}
   */
  async levelsOf(keys, { signal } = {}) {
    const asked = several("keys", keys).map((key, number) => {
      const [location, sku, ...more] = several(`keys[${number}]`, key);
      if (more.length) throw invalid(`keys[${number}]`, "each is a [location, sku]");
      return [name(`keys[${number}].location`, location), name(`keys[${number}].sku`, sku)];
    });
    return this.#many("/v1/levels/query", "keys", asked, QUERY_BYTES_MAX, "levels", (level) => level, signal);
  }

  /**
   * @template T
   * @param {string} path
   * @param {string} field
   * @param {unknown[]} asked
   * @param {number} bytesMax
   * @param {string} answered
   * @param {(row: any) => T} of
   * @param {AbortSignal | undefined} signal
   */
  async #many(path, field, asked, bytesMax, answered, of, signal) {
    /** @type {T[]} */
    const found = [];
    for (const chunk of chunks(asked, bytesMax)) {
      const rows = await this.#transport.call({ path, body: { [field]: chunk }, signal }, (document, { status }) =>
        listIn(document, answered, status),
      );
      found.push(...rows.map(of));
    }
    return found;
  }
}

/**
 * In their order, each chunk within both bounds.
 *
 * @template T
 * @param {T[]} things
 * @param {number} bytesMax
 * @param {(thing: T) => number} countOf
 */
function* chunks(things, bytesMax, countOf = () => 1) {
  const encoder = new TextEncoder();
  /** @type {T[]} */
  let chunk = [];
  let count = 0, bytes = 0;
  for (const thing of things) {
    const own = countOf(thing), size = encoder.encode(JSON.stringify(thing)).length + 1;
    if (chunk.length && (count + own > MANY_MAX || bytes + size > bytesMax)) {
      yield chunk;
      chunk = [];
      count = bytes = 0;
    }
    chunk.push(thing);
    count += own;
    bytes += size;
  }
  if (chunk.length) yield chunk;
}

/**
 * @param {string} field
 * @param {unknown} lines
 */
function linesOf(field, lines) {
  const found = each(field, lines, Line, "sale(), receipt() or another of them");
  if (!found.length) throw invalid(field, "an operation has at least one line");
  return found;
}

/**
 * @param {any} operation
 * @param {number} number
 * @returns {{ key: string, lines?: Line[], count?: Count }}
 */
function operationOf(operation, number) {
  const { key, lines, count } = operation ?? {}, place = `batch[${number}]`;
  const known = { key: keyOf(text(`${place}.key`, key)) };
  if (count === undefined) return { ...known, lines: linesOf(`${place}.lines`, lines) };
  if (!(count instanceof Count)) throw invalid(`${place}.count`, "is not made with counted()");
  return { ...known, count };
}

/**
 * @param {any} row
 * @returns {Outcome}
 */
function outcomeOf({ key, status, operation, replayed = true, lines = [], ...problem }) {
  const error = status < 300 ? null : Object.assign(errorOf(problem, status), { key });
  return Object.freeze({ key, operation: error ? null : operation, replayed, error, lines });
}
