/**
 * The client's side of protocol v1 on one connection, for everything that is watched. Pure: messages in, what to do
 * out; no socket, no clock. It outlives its connections: each begins with `begin` and ends with `lost`.
 *
 * @import { StockwireError } from "./errors.js"
 * @import { Kind } from "./kind.js"
 * @import { Connected, ErrorReply, Heartbeat, Message, Part, Subscribed, Told } from "./frame.js"
 * @import { Ending } from "./reconnect.js"
 */
import { Budget } from "./budget.js";
import { Feed } from "./feed.js";
import * as frame from "./frame.js";
import { thresholdKey } from "./kind.js";
import { Pack } from "./pack.js";
import { LIMITS, expire, plan, repack } from "./packing.js";
import { EPOCH_CHANGED, refusalOf } from "./reconnect.js";

const CONNECT_ID = 1;
// How long a subscription waits that a hub could not serve
const AGAIN_MS = 2_000;
const WORTH_ANOTHER_TRY = ["unavailable", "overloaded", "rate-limited", "limit"];

export class Session {
  /** @type {Map<string, Feed>} */
  feeds = new Map();
  /** @type {string | undefined} */
  epoch;
  limits = LIMITS;
  /** Something has changed that was not told. */
  isDirty = false;
  /** Counts what may change the state of a view. */
  turn = 0;

  // Of one connection
  /** @type {string[]} To be sent, in this order. */
  out = [];
  /** @type {Connected | undefined} */
  connected;
  /** @type {Heartbeat | undefined} */
  heard;
  /** Of the newest message. */
  type = "";
  /** @type {Map<number, { feed: Feed, pack: Pack }>} */
  subs = new Map();
  /** Skus, over all subscriptions. */
  named = 0;
  lastId = CONNECT_ID;
  isOpen = false;
  /** @type {typeof import("./tidy.js").tidy | undefined} Loaded when something `isUntidy`. */
  tidy;
  /** A snapshot was completed; whoever has heeded it takes it back. */
  isTaken = false;
  budget = new Budget(0);

  /** @param {number} now_ms */
  #reset(now_ms) {
    this.connected = this.heard = undefined;
    this.subs.clear();
    this.out = [];
    this.named = 0;
    this.lastId = CONNECT_ID;
    this.isOpen = this.isTaken = false;
    this.budget = new Budget(now_ms);
    this.turn++;
  }

  /**
   * @param {Kind} kind
   * @param {string} location
   * @param {boolean} isNamed
   */
  feed(kind, location, isNamed) {
    const name = [location, kind.key, isNamed].join("/");
    let feed = this.feeds.get(name);
    if (!feed) {
      this.feeds.set(name, (feed = new Feed(kind, location, isNamed)));
      if (!isNamed) feed.packs.push(new Pack(null));
    }
    return feed;
  }

  /**
   * A connection is open: what to say first. The subscriptions do not wait for the answer to `connect`: should the
   * epoch be another, the hub serves no position of the old one.
   *
   * @param {string | null | undefined} token
   * @param {number} now_ms
   */
  begin(token, now_ms) {
    this.#reset(now_ms);
    this.isOpen = true;
    this.out.push(frame.connect(CONNECT_ID, token));
    for (const feed of this.feeds.values()) {
      expire(this, feed, Infinity);
      repack(feed);
    }
    this.plan(now_ms);
  }

  /** @param {number} now_ms */
  plan(now_ms) {
    if (this.isOpen) plan(this, now_ms);
  }

  /**
   * @param {Feed} feed
   * @param {Pack} pack
   */
  ask(feed, pack) {
    pack.id = ++this.lastId;
    this.subs.set(pack.id, { feed, pack });
    this.named += pack.size;
    this.out.push(frame.subscribe(pack.id, feed.location, pack.skus, pack.position, feed.kind.asks));
  }

  /**
   * @param {Feed} feed
   * @param {Pack} pack
   */
  end(feed, pack) {
    feed.packs = feed.packs.filter((one) => one !== pack);
    feed.taking.delete(pack);
    if (!pack.id || !this.#forget(pack)) return;
    this.out.push(frame.unsubscribe(++this.lastId, pack.id));
  }

  /** @param {Pack} pack */
  #forget(pack) {
    if (!this.subs.delete(pack.id)) return false;
    this.named -= pack.size;
    return true;
  }

  /** @param {string} token */
  renew(token) {
    this.out.push(frame.refresh(++this.lastId, token));
  }

  probe() {
    this.out.push(frame.probe(++this.lastId));
  }

  /**
   * The connection has gone; what is held ages.
   *
   * @param {number | null | undefined} code
   */
  lost(code) {
    for (const feed of this.feeds.values()) feed.lost();
    if (code === EPOCH_CHANGED) this.#drop();
    this.#reset(0);
  }

  /**
   * What one message means; everything that is held has it when this returns.
   *
   * @param {string} text
   * @param {number} now_ms
   * @returns {Ending | undefined}  The connection is over.
   */
  receive(text, now_ms) {
    let message;
    try {
      message = frame.parse(text);
    } catch {
      return {}; // no message of the protocol
    }
    return message && this.#take(message, now_ms);
  }

  /**
   * @param {Message} message
   * @param {number} now_ms
   * @returns {Ending | undefined}
   */
  #take(message, now_ms) {
    this.type = message.type;
    switch (message.type) {
      case "level":
      case "view":
      case "threshold":
        return this.#told(message);
      case "heartbeat":
        this.heard = message;
        for (const { pack } of this.subs.values()) if ((message.sub ?? pack.id) === pack.id) pack.advance(message.seq);
        this.turn++;
        return undefined;
      case "snapshot":
        return this.#part(message);
      case "connected":
        return this.#connected(message);
      case "subscribed":
        return this.#subscribed(message);
      case "refreshed":
        if (this.connected) this.connected = { ...this.connected, ...message, type: "connected" };
        return undefined;
      case "error":
        return this.#error(message, now_ms);
      case "disconnect":
        return { ...message, final: !message.reconnect };
    }
    return undefined;
  }

  /** @param {Connected} message */
  #connected(message) {
    if (this.epoch !== undefined && this.epoch !== message.epoch) this.#drop();
    this.epoch = message.epoch;
    this.connected = message;
    this.turn++;
    return undefined;
  }

  #drop() {
    for (const feed of this.feeds.values()) feed.drop();
    this.isDirty = true;
  }

  /** @param {any} message */
  #told(message) {
    // Without `connected` the epoch is not known, and an old epoch's level could stand above the new one's
    if (!this.connected) return undefined;
    const { type, location } = message;
    const key = type === "threshold" ? thresholdKey(message.when, message.available === undefined) : type;
    for (const feed of this.feeds.values()) {
      const isOurs = feed.kind.key === key && (feed.location === location || feed.location === "*");
      if (isOurs && feed.apply(message)) this.isDirty = true;
    }
    return undefined;
  }

  /** @param {Subscribed} message */
  #subscribed({ id, recovered }) {
    const sub = this.subs.get(id);
    if (!sub || sub.pack.isTaking || sub.pack.isComplete) return undefined;
    if (recovered && !sub.pack.position) return {}; // it resumed what was never begun
    sub.feed.beginSnapshot(sub.pack, recovered);
    return undefined;
  }

  /** @param {Part} message */
  #part(message) {
    const sub = this.subs.get(message.sub);
    if (!sub?.pack.isTaking) return undefined;
    const { feed, pack } = sub;
    const levels = message[feed.kind.part], position = message.position ?? undefined;
    if (!levels) return {}; // of something else
    for (const level of levels) if (feed.apply(level)) this.isDirty = true;
    if (!message.last) return undefined;
    if (position && position.epoch !== this.epoch) {
      return { code: EPOCH_CHANGED };
    }
    feed.endSnapshot(pack, position);
    this.isTaken = this.isDirty = true;
    this.turn++;
    return undefined;
  }

  /**
   * @param {ErrorReply} message
   * @param {number} now_ms
   * @returns {Ending | undefined}
   */
  #error({ id, code, message }, now_ms) {
    const error = WORTH_ANOTHER_TRY.includes(code) ? undefined : refusalOf(code, message);
    if (id === CONNECT_ID) return { after_ms: AGAIN_MS, error };
    const sub = this.subs.get(id ?? 0);
    if (!sub) return undefined; // of a refresh that failed: the connection stays until its token ends; or of a probe
    const { feed, pack } = sub;
    this.#forget(pack);
    feed.taking.delete(pack);
    pack.lost();
    if (feed.isNamed) pack.skus ??= [...feed.entries].flatMap(([sku, entry]) => (entry.pack === pack ? sku : []));
    pack.notBefore_ms = now_ms + AGAIN_MS;
    if (error) this.close(feed, error);
    this.turn++;
    return undefined;
  }

  /**
   * @param {Feed} feed
   * @param {StockwireError} [error]
   */
  close(feed, error) {
    feed.error = error;
    for (const pack of feed.packs) this.end(feed, pack);
    for (const [name, one] of this.feeds) if (one === feed) this.feeds.delete(name);
  }
}
