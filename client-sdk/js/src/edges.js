/**
 * On which side of a threshold levels stand, and stood when it was told last: only an edge is told. Pure.
 *
 * @import { Watched } from "./level.js"
 */
export class Edges {
  /** @type {Map<string, boolean>} */
  #told = new Map();

  /**
   * What is to be held after `told`. One that is undecided (between the edges, not seen from which side it came there)
   * keeps what is known, else it counts as not raised at version 0: what any hub knows for sure counts more.
   *
   * @param {any} told
   * @param {Watched | undefined} known
   * @returns {Watched}
   */
  settle(told, known) {
    return told.raised === null ? (known ?? Object.freeze({ ...told, version: 0, raised: false })) : told;
  }

  /**
   * Where something stands when it is seen first is no crossing.
   *
   * @param {string} key
   * @param {any} held
   */
  see(key, held) {
    if (held && !this.#told.has(key)) this.#told.set(key, held.raised);
  }

  /**
   * Whether it crossed. What has just come into being was not raised before.
   *
   * @param {string} key
   * @param {any} held
   */
  isNews(key, held) {
    const before = this.#told.get(key) ?? false, now = held?.raised ?? before;
    this.#told.set(key, now);
    return before !== now;
  }

  /** @param {string} key */
  delete(key) {
    this.#told.delete(key);
  }
}
