/**
 * The newest known of what is watched of one kind at one location: some skus of it, or all of it. Pure: what comes in
 * decides, in whatever order it comes.
 *
 * Within an epoch no version ever goes back, not even of a level that a complete snapshot left out: what was held of it
 * is remembered.
 *
 * @import { Kind } from "./kind.js"
 * @import { Position } from "./frame.js"
 * @import { StockwireError } from "./errors.js"
 * @import { Watched } from "./level.js"
 *
 * @typedef {{ note(level: Watched | undefined): void }} Watcher  Is told what changed, `undefined`: gone.
 */
import { Pack } from "./pack.js";

/**
 * One sku. Ten thousand of them may be held: each field counts. `watchers`: one list for all skus that one alone watches.
 * `pack`: the subscription that brings it; undefined: none was asked for yet. `isDirty`: it has changed, and is told of soon.
 *
 * @typedef {{ held: Watched | undefined, watchers: readonly Watcher[], pack: Pack | undefined, isDirty: boolean }} Entry
 */

/** @type {readonly Watcher[]} */
const NOBODY = [];

/**
 * @param {Pack} [pack]
 * @returns {Entry}
 */
export const newEntry = (pack) => ({ held: undefined, watchers: NOBODY, pack, isDirty: false });

export class Feed {
  /** @type {Map<string, Watched>} What a complete snapshot left out. */
  gone = new Map();
  /** @type {Map<string, Watched>} Of the epoch before, until a snapshot says what has become of it. */
  #left = new Map();
  /** @type {Entry[]} Those that are, each once. */
  dirty = [];

  /** @type {Map<string, Entry>} */
  entries = new Map();
  /** @type {Set<Watcher>} Of all of it. */
  watchers = new Set();
  /** @type {Pack[]} What it is subscribed by; of a whole location always one. */
  packs = [];
  /** @type {Map<Pack, Set<string>>} Those in the middle of a complete snapshot, with what it has named so far. */
  taking = new Map();
  /** @type {Set<string>} Wanted, and no subscription names it yet. */
  loose = new Set();
  /** @type {Map<string, number>} Wanted by nobody any more, since when. */
  idle = new Map();
  /** @type {StockwireError | undefined} The hub does not serve it, and will not. */
  error;
  /** @type {StockwireError | undefined} Why it did not the last time. */
  why;

  /**
   * @param {Kind} kind
   * @param {string} location  Or `*`.
   * @param {boolean} isNamed  Only the skus that are wanted; else all there are.
   */
  constructor(kind, location, isNamed) {
    this.kind = kind;
    this.location = location;
    this.isNamed = isNamed;
    if (!isNamed) this.packs.push(new Pack(this));
  }

  /** @param {{ sku: string, location?: string | undefined }} level */
  keyOf({ sku, location }) {
    return this.location === "*" ? `${location}/${sku}` : sku;
  }

  /**
   * Hold it if it is newer than what is held.
   *
   * @param {Watched} level
   */
  apply(level) {
    const key = this.keyOf(level);
    let entry = this.entries.get(key);
    if (!entry) {
      if (this.isNamed) return;
      this.entries.set(key, (entry = newEntry(this.packs[0])));
    }
    if (this.taking.size) for (const named of this.taking.values()) named.add(key);
    const { held } = entry, known = held ?? this.gone.get(key);
    // What was gone may come back as it was
    if (known && level.version < known.version + (held ? 1 : 0)) return;
    if (!held) this.gone.delete(key);
    entry.held = level;
    this.#mark(entry);
  }

  /** @param {Entry} entry */
  #mark(entry) {
    if (!entry.isDirty) this.dirty.push(entry);
    entry.isDirty = true;
  }

  /**
   * @param {Pack} pack
   * @param {boolean} recovered  Only what changed since its position is named; else everything there is.
   */
  beginSnapshot(pack, recovered) {
    pack.isTaking = true;
    if (recovered) return;
    this.taking.set(pack, new Set());
    // Nobody could serve it: what was missed is not known until the last part
    pack.position = undefined;
  }

  /**
   * All parts have been applied. What a complete one did not name, and no message since, is gone: unless it is of an
   * event behind `position`, which this hub has not heard of yet. Another had, whose snapshot was cut off.
   *
   * @param {Pack} pack
   * @param {Position | undefined} position
   */
  endSnapshot(pack, position) {
    const named = this.taking.get(pack);
    for (const key of pack.skus ?? this.entries.keys()) {
      const entry = this.entries.get(key);
      if (!entry) continue;
      // What another epoch left of what was known, and this one does not name, is as if it had never been
      const left = this.#left.get(key);
      this.#left.delete(key);
      if (left && !entry.held) this.apply({ ...left, ...this.kind.never });
      if (named?.has(key) === false && entry.held && !isBehind(entry.held, position)) {
        this.gone.set(key, entry.held);
        this.#mark(entry);
        entry.held = undefined;
      }
      pack.adopt(entry);
    }
    this.taking.delete(pack);
    this.why = undefined;
    pack.isTaking = pack.takesOver = false;
    pack.isComplete = pack.begun = true;
    pack.skus = undefined;
    pack.position = position;
  }

  /** Another epoch: nothing that is held means anything any more, and no position either. */
  drop() {
    for (const [key, entry] of this.entries) {
      const known = entry.held ?? this.gone.get(key);
      if (known && !this.#left.has(key)) this.#left.set(key, known);
      if (entry.held) this.#mark(entry);
      entry.held = undefined;
    }
    this.gone.clear();
    for (const pack of this.packs) pack.position = undefined;
  }

  /** The connection has gone. */
  lost() {
    for (const pack of this.packs) pack.lost();
  }

  /** Tell the watchers of each what has changed. */
  tell() {
    const dirty = this.dirty;
    this.dirty = [];
    for (const entry of dirty) {
      const { held, watchers } = entry;
      entry.isDirty = false;
      for (const watcher of watchers) watcher.note(held);
      if (this.watchers.size) for (const watcher of this.watchers) watcher.note(held);
    }
  }

  /** @param {string} key */
  forget(key) {
    this.entries.delete(key);
    for (const map of [this.gone, this.#left, this.loose, this.idle]) map.delete(key);
  }
}

/**
 * Whether it is of an event that is not among those that the position promises.
 *
 * @param {any} level
 * @param {Position | undefined} position
 */
const isBehind = (level, position) => level.seq > (position?.seq[level.shard] ?? level.seq);
