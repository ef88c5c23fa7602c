/** `StockClient`: what watches, and every command and read of a ledger, which is loaded when it is first used. */
import { StockClient as WatchingClient } from "./client.js";
import { Unavailable } from "./errors.js";

/**
 * @import { ClientOptions } from "./client.js"
 * @import { GetToken } from "./link.js"
 * @import { Ledger } from "./ledger.js"
 * @import { TransportOptions } from "./transport.js"
 */

/** A page that only watches, as most do, loads none of what sells and counts. */
export class StockClient extends WatchingClient {
  /** @param {ClientOptions & Pick<TransportOptions, "trace" | "timeout_s" | "maxRetries" | "retryFor_s">} options */
  constructor({ getToken, ...others }) {
    /** @type {GetToken | undefined} Its own: one token is fetched at a time, for whatever of this client needs it. */
    const own = getToken && ((how) => getToken(how));
    const options = { ...others, getToken: own };
    super(options);
    /** @type {Promise<Ledger> | undefined} */
    let loaded;
    const load = () => (loaded ??= import("./ledger.js").then(({ Ledger }) => new Ledger(options), (error) => {
      loaded = undefined; // the next call tries again
      throw Object.assign(new Unavailable(`a part of the client cannot be loaded: ${error.message}`), { cause: error });
    }));
    /** Stock of single skus, read and moved. */
    this.stock = within(load, ({ stock }) => stock, "get sell receive return_ writeOff adjust count", "history");
    /** Units that are held until they are paid for. */
    this.reservations = within(
      load, ({ reservations }) => reservations, "reserve get commit fulfil cancel extend change", "list",
    );
    /** Units on their way from one location to another. */
    this.transfers = within(load, ({ transfers }) => transfers, "send get receive return_ close", "list");

    const ledger = within(load, (own) => own, "operation operations outcomes levelsOf", "levels");
    /** All lines or none, as one operation: see `Ledger.operation`. */
    this.operation = ledger.operation;
    /** Many operations in few requests, each on its own. */
    this.operations = ledger.operations;
    /** What became of operations, by their keys. */
    this.outcomes = ledger.outcomes;
    /** The levels of these `[location, sku]`, in this order. */
    this.levelsOf = ledger.levelsOf;
    /** Every level of a location, page by page. */
    this.levels = ledger.levels;
  }
}

/**
 * The methods of a part of the ledger, before it is there. Those that list say what is wrong when somebody iterates.
 *
 * @template T
 * @param {() => Promise<Ledger>} load
 * @param {(ledger: Ledger) => T} of
 * @param {string} methods
 * @param {string} list
 * @returns {T}
 */
function within(load, of, methods, list) {
  /** @type {any} */
  const part = {
    /** @param {unknown[]} given */
    async *[list](...given) {
      yield* /** @type {any} */ (of(await load()))[list](...given);
    },
  };
  for (const method of methods.split(" ")) {
    /** @param {unknown[]} given */
    part[method] = async (...given) => /** @type {any} */ (of(await load()))[method](...given);
  }
  return Object.freeze(part);
}
