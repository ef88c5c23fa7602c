/**
 * A feed of thresholds: on which side of it levels stand, and stood when it was told last. Only an edge is told. Pure.
 *
 * @import { Entry } from "./feed.js"
 * @import { Position } from "./frame.js"
 * @import { Pack } from "./pack.js"
 */
import { Feed } from "./feed.js";

export class EdgeFeed extends Feed {
  /** @type {WeakMap<Entry, boolean>} */
  #told = new WeakMap();

  /**
   * One that is undecided (between the edges, not seen from which side it came there) keeps what is known, else it counts
   * as not raised at version 0: what any hub knows for sure counts more.
   *
   * @override
   * @param {any} told
   */
  apply(told) {
    const key = this.keyOf(told), known = this.entries.get(key)?.held ?? this.gone.get(key);
    super.apply(told.raised === null ? (known ?? { ...told, version: 0, raised: false }) : told);
  }

  /**
   * Where something stands when it is seen first is no crossing.
   *
   * @override
   * @param {Pack} pack
   * @param {Position | undefined} position
   */
  endSnapshot(pack, position) {
    const { begun, skus } = pack;
    super.endSnapshot(pack, position);
    if (begun) return;
    for (const key of skus ?? this.entries.keys()) {
      const entry = this.entries.get(key);
      if (entry?.held && !this.#told.has(entry)) this.#crosses(entry);
    }
  }

  /**
   * One in the middle of a snapshot waits for the end of it.
   *
   * @override
   */
  tell() {
    const { dirty } = this;
    this.dirty = [];
    /** @type {Entry[]} */
    const waiting = [];
    for (const entry of dirty) {
      if (entry.held && !entry.pack?.isComplete) waiting.push(entry);
      else if (this.#crosses(entry)) this.dirty.push(entry);
      else entry.isDirty = false;
    }
    super.tell();
    this.dirty = waiting;
  }

  /**
   * Whether it crossed since it was asked last. What has just come into being was not raised before.
   *
   * @param {Entry} entry
   */
  #crosses(entry) {
    const before = this.#told.get(entry) ?? false, now = /** @type {any} */ (entry.held)?.raised ?? before;
    this.#told.set(entry, now);
    return before !== now;
  }
}
