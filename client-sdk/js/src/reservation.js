/** Reservations: units that are held until they are paid for. */
import { UNITS_MAX, each, flag, idOf, keyOf, name, optional, seconds, several, text, whole } from "./argument.js";
import { invalid } from "./errors.js";
import { changed } from "./result.js";

/**
 * @import { OperationResult, Reading, Sending } from "./operation.js"
 * @import { Transport } from "./transport.js"
 *
 * @typedef {Readonly<{
 *   sku: string, location: string, quantity: number, pending: number, committed: number, fulfilled: number,
 *   cancelled: number, expired: number,
 * }>} ReservationLine  How many units of one level are in which state; `quantity`: all of them. Those that are
 *   `pending` or
 *   `committed` are reserved; `fulfilled` ones have left, `cancelled` and `expired` ones are available again.
 *
 * @typedef {Readonly<{
 *   id: string, state: string, owner: string, customer: string | null, reference: string | null, version: number,
 *   created_at: string, expires_at: string | null, lines: readonly ReservationLine[],
 * }>} Reservation  As it stood when the ledger answered. `state`: `pending`, `committed`, `fulfilled`, `expired` or
 *   `cancelled`, of its units the one that is furthest from its end; a later ledger may know more.
 *
 * @typedef {Reservation & Readonly<{ result: OperationResult }>} ReservationResult  `result`: what the call did to
 *   levels.
 *
 * @typedef {Sending & { lines?: Iterable<Wanted> | null | undefined }} Parts  `lines`: absent for the whole
 *   reservation.
 *
 * @typedef {object} ReservationsAsked  Which a listing is to hold; absent: whatever it is.
 * @property {string} [location]
 * @property {string} [sku]  Needs a location: those that hold units of that level now.
 * @property {string} [state]  `open`: pending or committed.
 * @property {string} [owner]
 * @property {string} [customer]
 * @property {string} [reference]
 * @property {number} [olderThan_s]
 */

const PATH = "/v1/reservations";
/** As far back as a ledger looks. */
export const AGE_S_MAX = 10 * 365 * 86_400;

/** Units of one sku. Made by `held`, or by `heldFrom` where several locations may give them. */
export class Wanted {
  /**
   * @param {string} sku
   * @param {Iterable<string>} locations
   * @param {number | null} quantity
   * @param {boolean} split
   */
  constructor(sku, locations, quantity, split) {
    this.sku = name("sku", sku);
    this.locations = Object.freeze(several("locations", locations).map((location) => name("locations", location)));
    if (!this.locations.length) throw invalid("locations", "none is named");
    this.quantity = optional(whole, "quantity", quantity, 0, UNITS_MAX);
    this.split = flag("split", split);
    Object.freeze(this);
  }
}

/**
 * `quantity` units of `sku` at `location`. Of a line of a reservation that is there: null for all units that it can be
 * done with, 0 to let go of it in `reservations.change`.
 *
 * @param {string} sku
 * @param {string} location
 * @param {number | null} [quantity]
 */
export const held = (sku, location, quantity = 1) => new Wanted(sku, [name("location", location)], quantity, false);

/**
 * `quantity` units from the first of `locations` that has all of them; `split`: from as many as it takes, in their
 * order.
 * The ledger decides it under one lock: the answer's lines say where they are.
 *
 * @param {string} sku
 * @param {Iterable<string>} locations  In order of preference.
 * @param {number} [quantity]
 * @param {{ split?: boolean }} [how]
 */
export const heldFrom = (sku, locations, quantity = 1, { split = false } = {}) =>
  new Wanted(sku, locations, whole("quantity", quantity, 1, UNITS_MAX), split);

/**
 * Each call is one atomic step with an Idempotency-Key: one effect at most, exactly one if it returns.
 *
 * All throw ReservationState or ReservationExpired where the reservation does not allow it, and Later once the retries
 * are
 * used up.
 */
export class Reservations {
  #transport;

  /** @param {Transport} transport */
  constructor(transport) {
    this.#transport = transport;
  }

  /**
   * Holds all lines or none: 1 to 1,000 of them, no level in two. Throws OutOfStock for the first that cannot be, and
   * HoldLimit; then nothing is held.
   *
   * @param {Iterable<Wanted>} lines
   * @param {Sending & { ttl_s?: number, customer?: string, reference?: string }} [how]  `ttl_s`: whole seconds until
   *   they
   *   are let go of, by default as long as the ledger says. `customer`: an opaque label, by which the ledger may limit.
   */
  async reserve(lines, { ttl_s, customer, reference, ...how } = {}) {
    const body = {
      lines: placed(lines).map(wanted),
      ttl_s: optional(whole, "ttl_s", ttl_s, 1, UNITS_MAX),
      customer: optional(text, "customer", customer),
      reference: optional(text, "reference", reference),
    };
    return this.#change(PATH, body, how);
  }

  /**
   * How it stands now.
   *
   * @param {string} id
   * @param {Reading} [how]
   * @returns {Promise<Reservation>}
   */
  async get(id, { signal } = {}) {
    return this.#transport.call({ path: pathOf(id), signal }, (document) => /** @type {any} */ (document));
  }

  /**
   * Those of which every location may be read, the oldest first, fetched page by page while you iterate.
   *
   * @param {ReservationsAsked & Reading} [asked]
   * @returns {AsyncGenerator<Reservation, void, void>}
   */
  list({ location, sku, state, owner, customer, reference, olderThan_s, signal } = {}) {
    const query = {
      location: optional(name, "location", location),
      sku: optional(name, "sku", sku),
      state: optional(text, "state", state),
      owner: optional(text, "owner", owner),
      customer: optional(text, "customer", customer),
      reference: optional(text, "reference", reference),
      age_s: optional(seconds, "olderThan_s", olderThan_s, 0, AGE_S_MAX)?.toFixed(6),
    };
    if (query.sku && !query.location) throw invalid("sku", "needs a location beside it: units are held of a level");
    return this.#transport.listing({ path: PATH, query, signal }, "reservations");
  }

  /**
   * It was paid for: the units stay reserved, without an end; `fulfil`: they leave at once. What had expired is taken
   * again if it is there; if not, ReservationExpired says what is left. Safe to repeat, also under another key.
   *
   * @param {string} id
   * @param {Parts & { fulfil?: boolean }} [how]
   */
  async commit(id, { fulfil = false, ...how } = {}) {
    return this.#part(id, "commit", { fulfil: flag("fulfil", fulfil) || undefined }, how);
  }

  /**
   * The goods leave: on hand and reserved fall.
   *
   * @param {string} id
   * @param {Parts} [how]
   */
  async fulfil(id, how) {
    return this.#part(id, "fulfil", {}, how);
  }

  /**
   * Lets go of pending and committed units, the pending first.
   *
   * @param {string} id
   * @param {Parts} [how]
   */
  async cancel(id, how) {
    return this.#part(id, "cancel", {}, how);
  }

  /**
   * Keeps the pending units for `ttl_s` seconds from now. Throws HoldLimit if an item may not be held for so long.
   *
   * @param {string} id
   * @param {number} ttl_s
   * @param {Sending} [how]
   */
  async extend(id, ttl_s, how) {
    return this.#change(`${pathOf(id)}/extend`, { ttl_s: whole("ttl_s", ttl_s, 1, UNITS_MAX) }, how);
  }

  /**
   * Changes how many units are pending, as one step: a basket that is edited never loses what it holds. Lines that are
   * not named stay as they are, 0 lets go of one, a new one is added. `ttl_s` counts from now.
   *
   * @param {string} id
   * @param {Iterable<Wanted>} lines
   * @param {Sending & { ttl_s?: number }} [how]
   */
  async change(id, lines, { ttl_s, ...how } = {}) {
    const asked = placed(lines).map(([place, line]) => part(place, line, 0));
    const open = asked.findIndex(({ quantity }) => quantity === undefined);
    if (open >= 0) throw invalid(`lines[${open}].quantity`, "say how many are to be held; 0 lets go of the line");
    const body = { lines: asked, ttl_s: optional(whole, "ttl_s", ttl_s, 1, UNITS_MAX) };
    return this.#change(`${pathOf(id)}/lines`, body, how);
  }

  /**
   * @param {string} id
   * @param {string} step
   * @param {object} said
   * @param {Parts} [how]
   */
  #part(id, step, said, { lines, ...how } = {}) {
    const asked = lines ? placed(lines).map(([place, line]) => part(place, line, 1)) : undefined;
    return this.#change(`${pathOf(id)}/${step}`, { lines: asked, ...said }, how);
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {Sending} [how]
   * @returns {Promise<ReservationResult>}
   */
  async #change(path, body, { key, signal } = {}) {
    const sent = keyOf(key);
    return this.#transport.call({ path, body, key: sent, signal }, (document, answer) =>
      changed(document, "reservation", answer, sent),
    );
  }
}

/**
 * Each with its place, by which an error names it.
 *
 * @param {Iterable<Wanted>} lines
 * @returns {[string, Wanted][]}
 */
function placed(lines) {
  const found = each("lines", lines, Wanted, "held()");
  if (!found.length) throw invalid("lines", "none is named");
  return found.map((line, number) => [`lines[${number}]`, line]);
}

/** @param {[string, Wanted]} placed */
function wanted([place, line]) {
  const { sku, locations, quantity, split } = line;
  if (!quantity) throw invalid(`${place}.quantity`, `${quantity} units cannot be held: at least 1`);
  return locations.length === 1 ? part(place, line, 1) : { sku, locations, quantity, split };
}

/**
 * @param {string} place
 * @param {Wanted} line
 * @param {number} least
 */
function part(place, { sku, locations, quantity }, least) {
  if (locations.length !== 1) throw invalid(`${place}.locations`, "a line of a reservation is at one: say at which");
  return { sku, location: locations[0], quantity: optional(whole, `${place}.quantity`, quantity, least, UNITS_MAX) };
}

/** @param {string} id */
const pathOf = (id) => `${PATH}/${idOf("reservation", id)}`;
