/**
 * On which side of a threshold levels stand, and stood when it was told last: only an edge is told. Pure.
 *
 * @import { Entry } from "./feed.js"
 * @import { Watched } from "./level.js"
 */
export class Edges {
  /** @type {WeakMap<Entry, boolean>} */
  #told = new WeakMap();

  /**
   * What is to be held after `told`. One that is undecided (between the edges, not seen from which side it came there)
   * keeps what is known, else it counts as not raised at version 0: what any hub knows for sure counts more.
   *
   * @param {any} told
   * @param {Watched | undefined} known
   * @returns {Watched}
   */
  settle(told, known) {
    return told.raised === null ? (known ?? { ...told, version: 0, raised: false }) : told;
  }

  /**
   * Where something stands when it is seen first is no crossing.
   *
   * @param {Entry} entry
   */
  see(entry) {
    const { held } = /** @type {any} */ (entry);
    if (held && !this.#told.has(entry)) this.#told.set(entry, held.raised);
  }

  /**
   * Whether it crossed. What has just come into being was not raised before.
   *
   * @param {Entry} entry
   */
  isNews(entry) {
    const { held } = /** @type {any} */ (entry);
    const before = this.#told.get(entry) ?? false, now = held?.raised ?? before;
    this.#told.set(entry, now);
    return before !== now;
  }
}
