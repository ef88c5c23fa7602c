/**
 * One connection for all tabs of a browser. One of them leads (Web Locks say which) and is a hub to the others, over a
 * BroadcastChannel: it watches what they want, passes on what it hears, and gives each a snapshot of what it holds. When
 * it goes, another leads, from the position to which it has heard.
 *
 * @import { Link } from "./link.js"
 * @import { Request } from "./made_socket.js"
 *
 * @typedef {{ from?: string, to?: string, text?: string, leads?: boolean }} Post
 */
import { LEVELS, PUBLIC, thresholds } from "./kind.js";
import { MadeSocket } from "./made_socket.js";
import { earliest } from "./pack.js";
import { RESTART } from "./reconnect.js";
import { View } from "./view.js";

const PART_LEVELS = 500;
const TOLD = ["level", "view", "threshold"];

export class Tabs {
  /** @type {Map<string, Map<number, View<any>>>} By follower: what it watches. */
  #followers = new Map();
  /** @type {Map<string, number>} Those who wait until this tab is connected, with the id of their `connect`. */
  #waiting = new Map();
  /** @type {(() => void) | undefined} Gives up the lead. */
  #release = undefined;
  #isClosed = new AbortController();
  /** @type {TabSocket | undefined} */
  #socket = undefined;
  #isAsking = false;
  #link;
  #name;
  #channel;

  /**
   * @param {Link} link
   * @param {string} name  Of all that may share a connection.
   */
  constructor(link, name) {
    this.#link = link;
    this.#name = `stockwire:${name}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#posted(data);
    link.tap = (text) => this.#followers.size && this.#passOn(text);
    link.listeners.add(() => (link.isClosed ? this.close() : this.#changed()));
    link.slept = () => this.rest();
  }

  /** The way to the tab that leads, or undefined if this one does. */
  async socket() {
    if (!this.#release && !(await this.#lead(true))) {
      void this.#lead(false);
      return (this.#socket = new TabSocket(this.#channel, this.#name));
    }
    return undefined;
  }

  /** Nobody looks at this tab any more: let another lead. */
  rest() {
    for (const follower of [...this.#followers.keys()]) this.#forget(follower);
    this.#release?.();
    this.#release = undefined;
  }

  close() {
    this.rest();
    this.#isClosed.abort();
    this.#channel.close();
  }

  /**
   * @param {boolean} ifAvailable
   * @returns {Promise<boolean>}
   */
  #lead(ifAvailable) {
    if (!ifAvailable && this.#isAsking) return Promise.resolve(false);
    if (!ifAvailable) this.#isAsking = true;
    return new Promise((resolve) => {
      const how = ifAvailable ? { ifAvailable } : { signal: this.#isClosed.signal };
      const held = navigator.locks.request(this.#name, how, (lock) => {
        if (!ifAvailable) this.#isAsking = false;
        resolve(lock !== null);
        if (!lock || this.#isClosed.signal.aborted || this.#link.isAsleep) return undefined;
        this.#link.failed = 0; // how it fared by way of another tab says nothing of WebSockets
        this.#socket?.end(RESTART);
        this.#post({ leads: true });
        return new Promise((release) => (this.#release = () => release(undefined)));
      });
      // Closed, or forbidden here, as where nothing may be stored: then each tab has its own
      held.catch(() => resolve(ifAvailable));
    });
  }

  /** @param {Post} post */
  #post(post) {
    if (!this.#isClosed.signal.aborted) this.#channel.postMessage(post);
  }

  /**
   * What is said to all alike. What is said of a subscription is of this tab's.
   *
   * @param {string} text
   */
  #passOn(text) {
    const { heard } = this.#link.session, { type } = JSON.parse(text);
    if (TOLD.includes(type)) this.#post({ text });
    else if (type === "heartbeat" && heard) {
      // One of an event stream promises nothing about what others watch
      this.#post({ text: JSON.stringify({ ...heard, seq: heard.sub ? {} : heard.seq, sub: undefined }) });
    }
  }

  /** @param {Post} post */
  #posted({ from, to, text, leads }) {
    if (leads) this.#socket?.end(RESTART);
    if (from && text && this.#release) return this.#asked(from, JSON.parse(text));
    if (text && !from && (!to || to === this.#socket?.id)) this.#socket?.tell(text);
  }

  /**
   * @param {string} follower
   * @param {Request} request
   */
  #asked(follower, request) {
    const views = this.#followers.get(follower);
    if (request.type === "connect") {
      this.#followers.set(follower, new Map());
      this.#waiting.set(follower, request.id);
      // Granted when that tab lets go of it, or is no more
      const gone = () => this.#forget(follower);
      navigator.locks.request(follower, { signal: this.#isClosed.signal }, gone).catch(() => {});
      this.#changed();
    } else if (!views) this.#say(follower, { type: "disconnect", code: RESTART, reason: "", reconnect: true, after_ms: 0 });
    else if (request.type === "subscribe") this.#subscribe(follower, views, request);
    else if (request.type === "unsubscribe") {
      views.get(request.sub)?.close();
      views.delete(request.sub);
    } else this.#say(follower, { type: "error", id: request.id, code: "unknown-type", message: "" });
  }

  /**
   * @param {string} follower
   * @param {Map<number, View<any>>} views
   * @param {Request} request
   */
  #subscribe(follower, views, { id, location, skus: named, view: asked, when }) {
    const skus = named ?? null;
    const kind = when ? thresholds(when, asked === "public") : asked ? PUBLIC : LEVELS;
    const feed = this.#link.session.feed(kind, location, skus !== null);
    const view = new View(this.#link, feed, skus);
    views.set(id, view);
    view.ready.then(
      () => {
        const levels = [...view.values()];
        const entries = skus ? skus.flatMap((sku) => feed.entries.get(sku) ?? []) : [...feed.entries.values()];
        const position = kind === LEVELS ? earliest(skus ? entries.map(({ pack }) => pack) : feed.packs) : undefined;
        this.#say(follower, { type: "subscribed", id, sub: id, recovered: false });
        for (let first = 0; first === 0 || first < levels.length; first += PART_LEVELS) {
          const last = first + PART_LEVELS >= levels.length;
          const part = { [kind.part]: levels.slice(first, first + PART_LEVELS), last, ...(last && { position }) };
          this.#say(follower, { type: "snapshot", sub: id, ...part });
        }
      },
      (error) => view.error && this.#say(follower, { type: "error", id, code: codeOf(error), message: error.message }),
    );
  }

  /**
   * @param {string} follower
   * @param {object} message
   */
  #say(follower, message) {
    this.#post({ to: follower, text: JSON.stringify(message) });
  }

  /** The connection of this tab has begun, or ended: so it is for the others. */
  #changed() {
    const { connected } = this.#link.session;
    if (!connected) {
      for (const follower of [...this.#followers.keys()]) if (!this.#waiting.has(follower)) this.#forget(follower);
      return;
    }
    const { state, fresh_ms } = this.#link;
    for (const [follower, id] of this.#waiting) {
      this.#say(follower, { ...connected, id, expires_at: null, expires_in_s: null });
      // Or it would take the old for new until the next heartbeat
      if (state !== "live") this.#say(follower, { type: "heartbeat", seq: {}, fresh: false, lag_ms: Date.now() - fresh_ms });
    }
    this.#waiting.clear();
  }

  /** @param {string} follower */
  #forget(follower) {
    for (const view of this.#followers.get(follower)?.values() ?? []) view.close();
    this.#waiting.delete(follower);
    if (!this.#followers.delete(follower)) return;
    this.#say(follower, { type: "disconnect", code: RESTART, reason: "no connection", reconnect: true, after_ms: 0 });
  }
}

/** @param {Error} error */
const codeOf = ({ name }) => (name === "Forbidden" ? "forbidden" : "invalid");

/** To the tab that leads. While it is open it holds a lock, by which the other knows that it lives. */
class TabSocket extends MadeSocket {
  #channel;

  /**
   * @param {BroadcastChannel} channel
   * @param {string} name
   */
  constructor(channel, name) {
    super();
    this.#channel = channel;
    this.isMute = false;
    this.id = `${name}:${crypto.randomUUID()}`;
    /** @type {string[] | undefined} Said before the lock was there. */
    this.early = [];
    const lives = new Promise((resolve) => this.over.signal.addEventListener("abort", resolve));
    const held = navigator.locks.request(this.id, () => {
      for (const text of this.early ?? []) this.#post(text);
      this.early = undefined;
      return lives;
    });
    held.catch(() => {});
  }

  /**
   * @override
   * @param {string} text
   */
  send(text) {
    if (this.early) this.early.push(text);
    else this.#post(text);
  }

  /** @param {string} text */
  #post(text) {
    if (!this.isOver) this.#channel.postMessage({ from: this.id, text });
  }
}
