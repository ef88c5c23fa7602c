/**
 * What is held outlives a reload: each subscription as the snapshot that would bring it, with the position from which
 * it goes on. What cannot be read, or is of another version or epoch, counts for nothing.
 *
 * @import { Feed } from "./feed.js"
 * @import { Position } from "./frame.js"
 * @import { Link } from "./link.js"
 * @import { Watched } from "./level.js"
 *
 * @typedef {Pick<globalThis.Storage, "getItem" | "setItem">} Storage
 */
import { parse, rowsOf } from "./frame.js";
import { Pack, earliest } from "./pack.js";

const KEY = "stockwire.1:";
// Whether WebSockets are, for this browser
const BLOCKED = "stockwire.blocked";
// A browser keeps about 5 million for the whole site
const CHARACTERS_MAX = 1_000_000;

export class Kept {
  #link;
  #storage;
  #key;
  #isLive = false;
  /** @type {number | undefined} When it was live last; undefined: it is, or never was. */
  #lost_ms = undefined;

  /**
   * Takes up what is there.
   *
   * @param {Link} link
   * @param {Storage} storage
   * @param {string} name
   */
  constructor(link, storage, name) {
    this.#link = link;
    this.#storage = storage;
    // A visitor knows less than one who has a token, and neither may take what is the other's
    this.#key = `${KEY}${link.getToken ? "token" : "visitor"}:${name}`;
    link.listeners.add(() => this.#changed());
    try {
      this.#restore(JSON.parse(this.#get(this.#key) || "{}"));
    } catch {
      // broken: as if there were none
    }
  }

  /** @param {string} key */
  #get(key) {
    try {
      return this.#storage.getItem(key);
    } catch {
      return null; // forbidden
    }
  }

  /** @param {string} key @param {string} text */
  #set(key, text) {
    try {
      this.#storage.setItem(key, text);
    } catch {
      // full, or forbidden: the next page begins with a snapshot
    }
  }

  get isBlocked() {
    return this.#get(BLOCKED) === "1";
  }

  /** @param {boolean} isBlocked */
  block(isBlocked) {
    this.#set(BLOCKED, isBlocked ? "1" : "");
  }

  /** @param {{ epoch?: unknown, known_ms?: unknown, parts?: Record<string, string> }} stored */
  #restore({ epoch, known_ms, parts }) {
    const { session } = this.#link;
    if (typeof epoch !== "string" || typeof known_ms !== "number" || session.epoch !== undefined) return;
    // All are read before the first is taken up: what is held without its epoch would outlive it
    const read = [...session.feeds].map(([name, feed]) => ({ feed, part: parts?.[name] && parse(parts[name]) }));
    for (const { feed, part } of read) {
      if (!part || part.type !== "snapshot" || (part.position?.epoch ?? epoch) !== epoch) continue;
      const levels = rowsOf(part, feed.kind);
      if (levels) takeUp(feed, levels, part.position ?? undefined);
    }
    session.epoch = epoch;
    this.#link.stored_ms = known_ms;
    this.#link.tellSoon();
  }

  #changed() {
    const { state, fresh_ms } = this.#link;
    this.#lost_ms = state === "live" ? undefined : this.#isLive && state !== "stale" ? fresh_ms : this.#lost_ms;
    this.#isLive = state === "live";
  }

  /** Only what is known to be true, or was until the connection ended: Firefox ends it before a page hears that it is left. */
  save() {
    const { session, fresh_ms, state } = this.#link;
    const known_ms = state === "live" ? fresh_ms : this.#lost_ms;
    if (known_ms === undefined) return;
    /** @type {Record<string, string>} */
    const parts = {};
    for (const [name, feed] of session.feeds) {
      const entries = [...feed.entries.values()].filter(({ held }) => held);
      const levels = entries.map(({ held }) => held), position = earliest(new Set(entries.map(({ pack }) => pack)));
      if (feed.kind.type === "threshold" || !levels.length || (feed.kind.type === "level" && !position)) continue;
      parts[name] = JSON.stringify({ type: "snapshot", sub: 0, [feed.kind.part]: levels, last: true, position });
    }
    const text = JSON.stringify({ epoch: session.epoch, known_ms, parts });
    this.#set(this.#key, text.length > CHARACTERS_MAX ? "" : text);
  }
}

/**
 * What was held before, of what is watched again.
 *
 * @param {Feed} feed
 * @param {readonly Watched[]} levels
 * @param {Position | undefined} position  From which they can be resumed.
 */
function takeUp(feed, levels, position) {
  const pack = feed.isNamed ? new Pack(feed) : feed.packs[0];
  if (pack) pack.position = position;
  for (const level of levels) {
    feed.apply(level);
    const entry = feed.entries.get(feed.keyOf(level));
    if (entry) entry.pack = pack;
  }
}
