/** All that one hub tells the badges of a page: each level once, however many badges show it. */

import { addressesOf, read } from "../reads.js";
import { FACT_MS, shownOf } from "./states.js";

/** @typedef {import("./states.js").Seen} Seen
 * @typedef {import("./states.js").Shown} Shown
 * @typedef {import("../view.js").View<Seen>} View
 * @typedef {import("./visitor.js").Visitor} Visitor
 */

/** A hub that has not answered a read by then tells it over the stream. */
const READ_MS = 10_000;

/** One level, for as long as a badge shows it. */
export class Good {
  /** @type {Set<() => void>} */
  readers = new Set();
  /** @type {Shown | undefined} */
  shown;
  /** @type {View | undefined} */
  view;
  /** Whether all was asked that there is to ask, and nothing is known.
   * @type {boolean} */
  failed = false;
  /** @type {Shown | undefined} */
  #fact;
  /** @type {Seen | undefined} */
  #read;
  #read_ms = -Infinity;

  /** @param {string} location
   * @param {string} sku */
  constructor(location, sku) {
    this.location = location;
    this.sku = sku;
  }

  /** What a read brought, which counts until the stream says more.
   * @param {Seen} seen
   * @param {boolean} fresh
   * @param {number} now_ms */
  read(seen, fresh, now_ms) {
    if (this.#fact || this.view?.get(this.sku)) return;
    this.#read = seen;
    this.#read_ms = fresh ? now_ms : -Infinity;
    this.look(now_ms);
  }

  /** Tells the readers.
   * @param {number} now_ms */
  look(now_ms) {
    const told = this.view?.get(this.sku);
    const live = told !== undefined && this.view?.state === "live";
    if (live) this.#read_ms = -Infinity; // from here on the stream says what is so
    const seen = told ?? this.#read;
    this.shown = shownOf(this.#fact, seen, live || now_ms - this.#read_ms < FACT_MS);
    if (!this.shown?.stale) this.#fact = this.shown;
    this.failed = (seen !== undefined || this.view?.state !== "connecting") && !this.shown;
    for (const reader of this.readers) reader();
  }
}

export class Shelf {
  /** @type {Map<string, Good>} by location and sku, which no slash is part of */
  #goods = new Map();
  /** @type {Set<Good>} not asked for yet */
  #coming = new Set();

  /** @param {string} hub its read port
   * @param {Visitor} visitor
   * @param {(text: string) => void} note for whoever writes the page; it says a thing once */
  constructor(hub, visitor, note) {
    this.#hub = hub;
    this.#visitor = visitor;
    this.#note = note;
  }

  #hub;
  #visitor;
  #note;

  /** @param {string} location
   * @param {string} sku
   * @param {() => void} reader called whenever something may have changed
   * @returns {Good} */
  take(location, sku, reader) {
    const key = `${location}/${sku}`;
    let good = this.#goods.get(key);
    if (!good) {
      good = new Good(location, sku);
      this.#goods.set(key, good);
      // Once for all the badges that a parser or a script puts there in one go
      if (!this.#coming.size) setTimeout(() => this.#ask());
      this.#coming.add(good);
    }
    good.readers.add(reader);
    return good;
  }

  /** @param {Good} good
   * @param {() => void} reader as it was taken with */
  leave(good, reader) {
    good.readers.delete(reader);
    if (good.readers.size) return;
    this.#goods.delete(`${good.location}/${good.sku}`);
    this.#coming.delete(good);
    good.view?.close();
  }

  #ask() {
    /** @type {Map<string, Map<string, Good>>} */
    const places = new Map();
    for (const good of this.#coming) {
      const goods = places.get(good.location) ?? new Map();
      places.set(good.location, goods.set(good.sku, good));
      this.#watch(good);
    }
    this.#coming = new Set();
    for (const [location, goods] of places) {
      for (const address of addressesOf(this.#hub, location, goods.keys())) void this.#read(address, goods);
    }
  }

  /** @param {Good} good */
  #watch(good) {
    const about = `${good.sku} at ${good.location}`;
    try {
      const view = (good.view = this.#visitor.watch(good.location, good.sku));
      view.subscribe(() => {
        good.look(Date.now());
        if (view.error) this.#note(`${view.error}`); // which mostly is of all of them
        else if (good.failed) this.#note(`${about} never had stock: misspelt?`);
      });
    } catch (error) {
      this.#note(`${about}: ${error}`); // no name, or a client that was turned away for good: the others go on
      good.look(Date.now());
    }
  }

  /** @param {string} address
   * @param {Map<string, Good>} goods by sku */
  async #read(address, goods) {
    try {
      const { views, isFresh } = await read(address, fetch, AbortSignal.timeout(READ_MS));
      const now_ms = Date.now();
      for (const seen of views) goods.get(seen.sku)?.read(seen, isFresh, now_ms);
      setTimeout(() => goods.forEach((good) => good.look(Date.now())), FACT_MS);
    } catch (error) {
      this.#note(`${this.#hub}: ${error}`);
    }
  }
}
