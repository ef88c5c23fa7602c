/** At which pace a page says aloud what has changed. Pure. */

export const EVERY_MS = 5_000;
/** A listener hears at most so many at a time: what does not fit is on the page all the same. */
export const TOGETHER_MAX = 3;

export class Pace {
  /** @type {Map<string, string>} the newest of each key, the one that changed last at its end */
  #waiting = new Map();
  #from_ms = -Infinity;

  /** @param {string} key whose earlier text, if nobody heard it yet, is no longer true
   * @param {string} text */
  offer(key, text) {
    this.#waiting.delete(key);
    this.#waiting.set(key, text);
    for (const [oldest] of this.#waiting) {
      if (this.#waiting.size <= TOGETHER_MAX) break;
      this.#waiting.delete(oldest);
    }
  }

  /** @param {number} now_ms
   * @returns {number | undefined} milliseconds until something is to be said; undefined: there is nothing */
  wait_ms(now_ms) {
    return this.#waiting.size ? Math.max(0, this.#from_ms - now_ms) : undefined;
  }

  /** @param {number} now_ms
   * @returns {string} everything that waits, as one text */
  take(now_ms) {
    const text = [...this.#waiting.values()].join(". ");
    this.#waiting.clear();
    this.#from_ms = now_ms + EVERY_MS;
    return text;
  }
}
