/**
 * The clicks on one product of which the level that is shown may know nothing yet. Pure: time comes in as a number.
 *
 * The number falls at the click, and the ledger has the last word: a click counts until the level that contains its
 * sale is here, which is the one of the sale's version or a later one; a refused one counts no more.
 */

// A sale that no level ever shows (the database was put back): the number is the ledger's again
const SHOWN_WITHIN_MS = 10_000;

export class Purchases {
  /** @type {Map<string, { version: number, until_ms: number }>} */
  #clicks = new Map();
  /** How many were not answered yet. */
  asked = 0;

  /** @param {string} key */
  begin(key) {
    this.#clicks.set(key, { version: Infinity, until_ms: Infinity });
    this.asked++;
  }

  /**
   * @param {string} key
   * @param {number} version  Of the level that the sale left.
   * @param {number} now_ms
   */
  sold(key, version, now_ms) {
    this.#clicks.set(key, { version, until_ms: now_ms + SHOWN_WITHIN_MS });
    this.asked--;
  }

  /**
   * It was refused, or nobody knows.
   *
   * @param {string} key
   */
  failed(key) {
    this.#clicks.delete(key);
    this.asked--;
  }

  /**
   * Units to take off a level of this version; whoever it contains is forgotten.
   *
   * @param {number} version
   * @param {number} now_ms
   */
  ahead(version, now_ms) {
    for (const [key, click] of this.#clicks) {
      if (click.version <= version || click.until_ms < now_ms) this.#clicks.delete(key);
    }
    return this.#clicks.size;
  }
}
