/**
 * @import { Availability, Level, Threshold, Watched } from "./level.js"
 * @import { GetToken, Socket } from "./link.js"
 * @import { Kind } from "./kind.js"
 * @import { Session } from "./session.js"
 * @import { State } from "./view.js"
 * @import { Storage } from "./storage.js"
 *
 * @typedef {object} ClientOptions
 * @property {string} [url]  The ledger's. Hubs are found by asking it.
 * @property {string} [hub]  Or a hub's read port, for a page that knows nothing else.
 * @property {readonly string[]} [hubs]  Or the URLs of the streams themselves.
 * @property {GetToken} [getToken]  Gives an API key or a token for each connection; absent: a visitor, who may watch
 *   `{view: "public"}` only.
 * @property {Storage} [storage]  Such as `sessionStorage`: a reload goes on from what is held. Whoever reads it reads levels.
 * @property {boolean | string} [share]  One connection for all tabs that have the same `url` and `share`: give tabs whose
 *   tokens allow other things another text.
 * @property {number} [hiddenFor_ms]  How long a page that nobody looks at keeps its connection. 5 minutes.
 * @property {typeof globalThis.fetch} [fetch]
 * @property {new (url: string, protocols: string | string[]) => Socket} [WebSocket]
 *
 * @typedef {{ view?: "public" }} WatchOptions
 * @typedef {{ atMost?: number, atLeast?: number, until?: number, view?: "public" }} ThresholdOptions
 */
import { ConfigurationError, invalid } from "./errors.js";
import { LEVELS, PUBLIC, thresholds } from "./kind.js";
import { followPage } from "./lifecycle.js";
import { HIDDEN_FOR_MS, NAME } from "./limits.js";
import { Link } from "./link.js";
import { View } from "./view.js";
import { waysOf } from "./ways.js";

export class StockClient {
  #link;
  #leavePage;
  #ways;

  /** @param {ClientOptions} options */
  constructor(options) {
    this.#ways = waysOf(options);
    this.#link = new Link({ open: this.#ways.open, tidy: loadTidy, getToken: options.getToken });
    this.#leavePage = followPage(this.#link, options.hiddenFor_ms ?? HIDDEN_FOR_MS, this.#ways.save);
  }

  /** @returns {State} Of the connection. It is opened when something is watched. */
  get state() {
    return this.#link.state;
  }

  /** Why it is closed; until it is live, why the last try failed, as far as that is known. */
  get error() {
    return this.#link.error;
  }

  /**
   * @param {(state: State) => void} listener
   * @returns {() => void}  Ends it.
   */
  onState(listener) {
    const own = () => listener(this.state);
    this.#link.listeners.add(own);
    return () => void this.#link.listeners.delete(own);
  }

  /**
   * Follow levels; with `view: "public"` what the public sees of them. Many watchers are one connection, and those of
   * one tick one subscription.
   *
   * @template {WatchOptions} [O={}]
   * @param {string} location  Or `*` for all of them.
   * @param {Iterable<string> | null} [skus]  Null: every one there.
   * @param {O} [options]
   * @returns {View<O extends { view: "public" } ? Availability : Level>}
   */
  watch(location, skus = null, options) {
    return this.#watch(options?.view ? PUBLIC : LEVELS, location, skus, options);
  }

  /**
   * Follow the crossings of a threshold: raised at so many available units or fewer (`atMost`) or more (`atLeast`),
   * lowered again at `until`.
   *
   * @param {string} location
   * @param {Iterable<string> | null} skus
   * @param {ThresholdOptions} options
   * @returns {View<Threshold>}
   */
  watchThreshold(location, skus, options) {
    const { atMost, atLeast, until, view } = options;
    const when = { at_most: atMost, at_least: atLeast, until };
    return this.#watch(thresholds(when, view === "public"), location, skus, options);
  }

  /** For good. No socket and no timer is left when it returns; all views are closed. */
  close() {
    this.#leavePage();
    this.#link.close();
    this.#ways.close();
  }

  [Symbol.dispose]() {
    this.close();
  }

  /**
   * @param {Kind} kind
   * @param {string} location
   * @param {Iterable<string> | null} skus
   * @param {WatchOptions} [options]
   * @returns {View<any>}
   */
  #watch(kind, location, skus, { view } = {}) {
    if (view !== undefined && view !== "public") throw invalid("view", "is public, or absent for levels");
    if (!view && !this.#link.getToken) throw invalid("view", "without getToken only {view: \"public\"} can be watched");
    if (location !== "*" && !NAME.test(location)) throw invalid("location", "is no name");
    const named = skus === null ? null : checked(location, skus, this.#link.session.limits.skus);
    if (this.#link.isClosed) throw new ConfigurationError("the client is closed");
    return new View(this.#link, this.#link.session.feed(kind, location, named !== null), named);
  }
}

/**
 * Few pages need it. What cannot be loaded is tried again as long as there is something to tidy.
 *
 * @param {Session} session
 */
const loadTidy = (session) => void import("./tidy.js").then(({ tidy }) => (session.tidy = tidy), () => {});

/**
 * @param {string} location
 * @param {Iterable<string>} skus
 * @param {number} most
 */
function checked(location, skus, most) {
  if (location === "*") throw invalid("skus", "named skus need one location");
  if (typeof skus === "string") throw invalid("skus", "is a list");
  const named = [...new Set(skus)];
  if (!named.length || named.length > most) throw invalid("skus", `name 1 to ${most}, or null for all`);
  for (const sku of named) if (!NAME.test(sku)) throw invalid("skus", `${JSON.stringify(sku)} is no sku`);
  return named;
}
