// How long a change takes from its commit until it can be seen here: corrected by how far this browser's clock is off.

import * as api from "./api.js";
import { Offset, quantile, Samples } from "./quantiles.js";

const WINDOW_MS = 60_000;
/** Of the newest: 60 s of a busy launch, and no more. */
const SAMPLES_MAX = 2_000;
const QUESTIONS = 5;
const AGAIN_MS = 60_000;

/**
 * @typedef {{p50_ms: number | null, p99_ms: number | null, samples: number, why: string | null, right_to_ms: number |
 *   null}} Painted
 */

export class Paint {
  /** @param {() => number} [now] @param {() => Promise<{now_ms: number}>} [time] of the console */
  constructor(now = Date.now, time = api.time) {
    this.now = now;
    this.time = time;
    this.offset = new Offset();
    this.samples = new Samples(WINDOW_MS, SAMPLES_MAX);
    this.asked_ms = -Infinity;
  }

  /** Asks the console for the time, if that is due. What fails is asked again the next time. */
  async tune() {
    if (this.now() - this.asked_ms < AGAIN_MS) return;
    this.asked_ms = this.now();
    for (let asked = 0; asked < QUESTIONS; asked++) {
      const sent_ms = this.now();
      try {
        const { now_ms } = await this.time();
        this.offset.answered(sent_ms, now_ms, this.now());
      } catch {
        return;   // the connection's own state says that the console is away
      }
    }
  }

  /** To be called when it can be seen. @param {number[]} committed_ms of the changes that were drawn */
  seen(committed_ms) {
    const offset_ms = this.offset.best_ms;
    if (offset_ms === null) return;
    const now_ms = this.now();
    for (const at_ms of committed_ms) this.samples.add(now_ms, now_ms + offset_ms - at_ms);
  }

  /** @returns {Painted} */
  get figures() {
    const values = this.samples.values(this.now());
    const trip_ms = this.offset.trip_ms;
    return {
      p50_ms: quantile(values, 0.5),
      p99_ms: quantile(values, 0.99),
      samples: values.length,
      why: values.length ? null : trip_ms === null ? "the clocks were not compared yet"
        : "nothing changed here in the last 60 s",
      right_to_ms: trip_ms === null ? null : trip_ms / 2,
    };
  }
}
