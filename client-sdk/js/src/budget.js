// A hub takes 200 messages a minute after a burst of 150: far below it, since a page may be in need of a few at once
const BURST = 30;
const REFILL_MS = 1_000;

/** How many messages may be sent on a connection. Pure. */
export class Budget {
  /** @param {number} now_ms */
  constructor(now_ms) {
    this.left = BURST;
    this.at_ms = now_ms;
  }

  /**
   * Whether another may be sent now, and this much of the burst be `kept` for what is more urgent. 0 to 1.
   *
   * @param {number} now_ms
   * @param {number} [kept]
   */
  take(now_ms, kept = 0) {
    // A clock that was set back refills nothing, and is believed from then on
    this.left = Math.min(BURST, this.left + Math.max(0, now_ms - this.at_ms) / REFILL_MS);
    this.at_ms = now_ms;
    if (this.left < 1 + kept * BURST) return false;
    this.left -= 1;
    return true;
  }
}
