/**
 * One subscription of a connection: the skus that it names, and how far it has read.
 *
 * @import { Position } from "./frame.js"
 * @import { Entry, Feed } from "./feed.js"
 */
export class Pack {
  /** Its id on this connection; 0: it was not asked for on this one. */
  id = 0;
  /** When it may be asked for again. */
  notBefore_ms = 0;
  /** How many skus are brought by it, and wanted. */
  live = 0;
  /** A snapshot was completed, on whichever connection. */
  begun = false;
  isTaking = false;
  isComplete = false;
  /** It takes over skus of others as soon as it is complete: nobody has left it yet. */
  takesOver = false;

  /**
   * @param {Feed} feed
   * @param {readonly string[]} [skus]  Absent: the whole location.
   * @param {Position} [position]
   */
  constructor(feed, skus, position) {
    this.feed = feed;
    /** Named when it is asked for; who is brought by it knows that, and it need not. */
    this.skus = skus;
    this.size = skus?.length ?? 0;
    this.position = position;
  }

  /** It is not asked for any more. */
  lost() {
    this.id = 0;
    this.isTaking = this.isComplete = this.takesOver = false;
    this.feed.taking.delete(this);
  }

  /** @param {Entry} entry */
  adopt(entry) {
    if (entry.pack === this) return;
    if (entry.pack) entry.pack.live--;
    entry.pack = this;
    this.live++;
  }

  /**
   * A heartbeat's promise. Never goes back.
   *
   * @param {Record<string, number>} seq
   */
  advance(seq) {
    const held = this.position;
    if (!this.isComplete || !held) return;
    const merged = { ...held.seq };
    for (const [shard, number] of Object.entries(held.seq)) merged[shard] = Math.max(number, seq[shard] ?? 0);
    this.position = { ...held, seq: merged };
  }
}

/**
 * The position from which all that several packs hold can be resumed: the earliest of each shard. Undefined if one of
 * them has none. It belongs to no selection: whoever gives it back vouches that all of it is held.
 *
 * @param {Iterable<Pack | undefined>} packs
 * @returns {Position | undefined}
 */
export function earliest(packs) {
  /** @type {Position | undefined} */
  let first;
  for (const pack of packs) {
    if (!pack?.position) return undefined;
    const { epoch, seq } = pack.position;
    first ??= { epoch, seq: { ...seq } };
    for (const [shard, number] of Object.entries(seq)) first.seq[shard] = Math.min(number, first.seq[shard] ?? number);
  }
  return first;
}
