/**
 * What is held of what somebody watches: always the newest that is known. It is frozen when it is handed out: of what is
 * overtaken before that nobody has to.
 *
 * @import { Feed } from "./feed.js"
 * @import { Link } from "./link.js"
 * @import { StockwireError } from "./errors.js"
 * @import { Watched } from "./level.js"
 *
 * `connecting`: what is held is as old as the last connection. `live`: everything the hub has is here, and the hub has
 * everything. `stale`: the hub says that it is behind, or says nothing. `closed`: for good.
 *
 * @typedef {"connecting" | "live" | "stale" | "closed"} State
 */
import { Unavailable } from "./errors.js";
import { heed } from "./heed.js";
import { unwant, want } from "./packing.js";

/** @template {Watched} [T=Watched] */
export class View {
  /** @type {State} */
  #state = "connecting";
  /** @type {number | undefined} */
  #known_ms;
  /** @type {Set<(view: View<T>, changed: readonly T[]) => void>} */
  #listeners = new Set();
  /** @type {T[]} */
  #changed = [];
  /** @type {{ promise: Promise<View<T>>, resolve: (view: View<T>) => void, reject: (error: unknown) => void }} */
  #ready = Promise.withResolvers();
  #link;
  #feed;
  #skus;

  /**
   * Made by `StockClient.watch` and its likes.
   *
   * @param {Link} link
   * @param {Feed} feed
   * @param {readonly string[] | null} skus
   */
  constructor(link, feed, skus) {
    this.#link = link;
    this.#feed = feed;
    this.#skus = skus;
    /** @type {StockwireError | undefined} Why it is closed, if not by `close`; until it is live, why not, if that can be said. */
    this.error = undefined;
    this.#ready.promise.catch(() => {}); // who does not wait for it need not hear of it
    want(feed, skus, this);
    link.views.add(this);
    link.wanted();
    this.refresh();
  }

  /** Resolves to the view at the first complete snapshot; rejects if it is closed before. */
  get ready() {
    return this.#ready.promise;
  }

  /** @returns {State} */
  get state() {
    // A timer may be late, in a tab that nobody looks at by a minute: the clock decides
    return this.#state === "live" && this.#link.isSilent ? "stale" : this.#state;
  }

  /** How long the newest change took to the hub; while stale: how long the hub has been behind. */
  get lag_ms() {
    return this.#link.session.heard?.lag_ms;
  }

  /** `Date.now()` of when everything here was last known to be true; undefined: never yet. */
  get known_ms() {
    const { heard_ms, fresh_ms, stored_ms } = this.#link;
    if (this.#state === "live") return fresh_ms;
    const known_ms = this.#known_ms ?? stored_ms;
    if (this.#state !== "stale") return known_ms;
    return Math.max(known_ms ?? 0, heard_ms - (this.lag_ms ?? 0));
  }

  /**
   * @param {string} sku
   * @param {string} [location]  Where several are watched.
   * @returns {T | undefined}  Frozen. Undefined: not known, or not watched here.
   */
  get(sku, location) {
    const feed = this.#feed, { held, watchers } = feed.entries.get(feed.keyOf({ sku, location })) ?? {};
    const isOurs = watchers?.includes(this) || feed.watchers.has(this);
    return isOurs && (location ?? held?.location) === held?.location ? Object.freeze(/** @type {T} */ (held)) : undefined;
  }

  /** All that is held. */
  *values() {
    for (const key of this.#skus ?? this.#feed.entries.keys()) {
      const held = this.#state !== "closed" && this.#feed.entries.get(key)?.held;
      if (held) yield Object.freeze(/** @type {T} */ (held));
    }
  }

  /**
   * Call `listener` at once with everything that is held, then at most once in a frame with what changed, newest only;
   * with nothing when only the state did.
   *
   * @param {(view: View<T>, changed: readonly T[]) => void} listener
   * @returns {() => void}  Ends it.
   */
  subscribe(listener) {
    /** @param {View<T>} view @param {readonly T[]} changed */
    const own = (view, changed) => listener(view, changed); // a listener may subscribe twice
    if (this.#state !== "closed") this.#listeners.add(own);
    heed(() => own(this, [...this.values()]));
    return () => void this.#listeners.delete(own);
  }

  /** Each step gives what changed since the one before: of each sku the newest only, so a slow reader costs no memory. */
  async *[Symbol.asyncIterator]() {
    const { changesOf } = await import("./changes.js");
    yield* changesOf(this);
  }

  /** Safe twice. What was watched lingers some seconds, for whoever watches it next. */
  close() {
    this.end();
  }

  [Symbol.dispose]() {
    this.end();
  }

  /**
   * @internal
   * @param {StockwireError} [error]
   */
  end(error) {
    if (this.#state === "closed") return;
    this.#known_ms = this.known_ms;
    this.#state = "closed";
    this.error = error;
    unwant(this.#feed, this.#skus, this, Date.now());
    this.#link.views.delete(this);
    this.#link.wanted();
    this.#ready.reject(error ?? new Unavailable("the view was closed"));
    this.tell();
    this.#listeners.clear();
  }

  /**
   * @internal
   * @param {Watched | undefined} level  Undefined: gone.
   */
  note(level) {
    if (!level || this.#changed.push(Object.freeze(/** @type {T} */ (level))) === 1) this.#link.touched.add(this);
  }

  /** @internal What may change its state has happened. */
  refresh() {
    if (this.#state === "closed") return; // by a listener of another view, meanwhile
    if (this.#feed.error) return this.end(this.#feed.error);
    this.error = this.#feed.why ?? this.#link.error;
    const state = this.#isComplete() ? this.#link.state : "connecting";
    if (state === this.#state) return;
    this.#known_ms = this.known_ms;
    this.#state = state;
    if (state !== "connecting") this.#ready.resolve(this);
    this.#link.touched.add(this);
  }

  #isComplete() {
    const { entries, packs } = this.#feed;
    if (!this.#skus) return packs[0]?.isComplete;
    return this.#skus.every((sku) => entries.get(sku)?.pack?.isComplete);
  }

  /** @internal Tell the listeners what has changed. */
  tell() {
    const changed = this.#changed;
    this.#changed = [];
    for (const listener of [...this.#listeners]) heed(() => listener(this, changed));
  }
}
