/**
 * The client's side of protocol v1 on one connection, for everything that is watched. Pure: messages in, what to do
 * out; no socket, no clock. It outlives its connections: each begins with `begin` and ends with `lost`.
 *
 * @import { StockwireError } from "./errors.js"
 * @import { Kind } from "./kind.js"
 * @import { Connected, ErrorReply, Heartbeat, Message, Part, Subscribed } from "./frame.js"
 * @import { Pack } from "./pack.js"
 * @import { Ending } from "./reconnect.js"
 */
import { Budget } from "./budget.js";
import { Feed } from "./feed.js";
import { parse, request, rowsOf } from "./frame.js";
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
  /** Counts what may change the state of a view. */
  turn = 0;

  // Of one connection
  /** @type {string[]} To be sent, in this order. */
  out = [];
  /** @type {Connected | undefined} */
  connected;
  /** @type {Heartbeat | undefined} */
  heard;
  /** @type {Map<number, Pack>} */
  subs = new Map();
  /** Skus, over all subscriptions. */
  named = 0;
  /** 0: nothing was said yet, and nothing is until there is a connection. */
  lastId = 0;
  /** @type {(session: Session, feed: Feed, now_ms: number, kept: number) => void} What `tidy.js` does, or loads it. */
  tidy = () => {};
  /** A snapshot was completed. */
  isTaken = false;
  budget = new Budget(0);

  /** @param {number} now_ms */
  #reset(now_ms) {
    this.connected = this.heard = undefined;
    this.subs.clear();
    this.out = [];
    this.named = 0;
    this.lastId = 0;
    this.isTaken = false;
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
    if (!feed) this.feeds.set(name, (feed = new (kind.Feed ?? Feed)(kind, location, isNamed)));
    return feed;
  }

  /**
   * A connection is open: what to say first. The subscriptions do not wait for the answer to `connect`: should the
   * epoch be another, the hub serves no position of the old one.
   *
   * @param {string | undefined} token  None of a visitor.
   * @param {number} now_ms
   */
  begin(token, now_ms) {
    this.#reset(now_ms);
    this.say("connect", { token });
    for (const feed of this.feeds.values()) {
      expire(this, feed, Infinity);
      repack(feed);
    }
    this.plan(now_ms);
  }

  /** @param {number} now_ms */
  plan(now_ms) {
    if (this.lastId) plan(this, now_ms);
  }

  /**
   * Its id.
   *
   * @param {string} type
   * @param {object} [members]
   */
  say(type, members) {
    this.out.push(request(type, ++this.lastId, members));
    return this.lastId;
  }

  /** @param {Pack} pack */
  ask(pack) {
    const { feed, skus, size, position: since } = pack;
    pack.id = this.say("subscribe", { location: feed.location, skus, since, ...feed.kind.asks });
    this.subs.set(pack.id, pack);
    this.named += size;
  }

  /** @param {Pack} pack */
  end(pack) {
    const { feed, id: sub } = pack;
    feed.packs = feed.packs.filter((one) => one !== pack);
    if (this.#forget(pack)) this.say("unsubscribe", { sub });
  }

  /**
   * Whether it was asked for.
   *
   * @param {Pack} pack
   */
  #forget(pack) {
    const isAsked = this.subs.delete(pack.id);
    if (isAsked) this.named -= pack.size;
    pack.lost();
    return isAsked;
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
      message = parse(text);
    } catch {
      return {}; // no message of the protocol
    }
    return this.#take(message, now_ms);
  }

  /**
   * @param {Message} message
   * @param {number} now_ms
   * @returns {Ending | undefined}
   */
  #take(message, now_ms) {
    switch (message.type) {
      case "heartbeat":
        this.heard = message;
        for (const pack of this.subs.values()) if ((message.sub ?? pack.id) === pack.id) pack.advance(message.seq);
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
      default:
        return this.#told(message);
    }
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
  }

  /** @param {any} message */
  #told(message) {
    // Without `connected` the epoch is not known, and an old epoch's level could stand above the new one's
    if (!this.connected) return undefined;
    const { type, location: place } = message;
    for (const feed of this.feeds.values()) {
      const { kind, location } = feed;
      if (kind.type !== type || (location !== place && location !== "*")) continue;
      if (!kind.isRow(message)) return {};
      if (!kind.isOurs || kind.isOurs(message)) feed.apply(message);
    }
    return undefined;
  }

  /** @param {Subscribed} message */
  #subscribed({ id, recovered }) {
    const pack = this.subs.get(id);
    if (!pack || pack.isTaking || pack.isComplete) return undefined;
    if (recovered && !pack.position) return {}; // it resumed what was never begun
    pack.feed.beginSnapshot(pack, recovered);
    return undefined;
  }

  /** @param {Part} message */
  #part(message) {
    const pack = this.subs.get(message.sub);
    if (!pack?.isTaking) return undefined;
    const { feed } = pack;
    const levels = rowsOf(message, feed.kind), position = message.position ?? undefined;
    if (!levels) return {};
    for (const level of levels) feed.apply(level);
    if (!message.last) return undefined;
    if (position && position.epoch !== this.epoch) {
      return { code: EPOCH_CHANGED };
    }
    feed.endSnapshot(pack, position);
    this.isTaken = true;
    this.turn++;
    return undefined;
  }

  /**
   * @param {ErrorReply} message
   * @param {number} now_ms
   * @returns {Ending | undefined}
   */
  #error({ id, code, message }, now_ms) {
    const why = refusalOf(code, message), error = WORTH_ANOTHER_TRY.includes(code) ? undefined : why;
    if (id === CONNECT_ID) return { after_ms: AGAIN_MS, reason: message, error };
    const pack = this.subs.get(id ?? 0);
    if (!pack) return undefined; // of a refresh that failed: the connection stays until its token ends; or of a probe
    const { feed } = pack;
    this.#forget(pack);
    if (feed.isNamed) pack.skus ??= [...feed.entries].flatMap(([sku, entry]) => (entry.pack === pack ? sku : []));
    pack.notBefore_ms = now_ms + AGAIN_MS;
    feed.why = why;
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
    for (const pack of feed.packs) this.end(pack);
    for (const [name, one] of this.feeds) if (one === feed) this.feeds.delete(name);
  }
}
