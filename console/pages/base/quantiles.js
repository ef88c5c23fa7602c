// Quantiles of the newest samples, and how far two clocks are apart. Pure.

/** Nearest rank; null where nothing was measured. @param {number[]} samples @param {number} part */
export function quantile(samples, part) {
  if (!samples.length) return null;
  const ordered = [...samples].sort((a, b) => a - b);
  return ordered[Math.min(ordered.length - 1, Math.floor(part * ordered.length))] ?? null;
}

/** The samples of the last `window_ms`, at most `most` of them. */
export class Samples {
  /** @param {number} window_ms @param {number} most */
  constructor(window_ms, most) {
    this.window_ms = window_ms;
    this.most = most;
    /** @type {{at_ms: number, value: number}[]} */
    this.kept = [];
  }

  /** @param {number} at_ms @param {number} value */
  add(at_ms, value) {
    this.kept.push({ at_ms, value });
    if (this.kept.length > this.most) this.kept.shift();
  }

  /** @param {number} now_ms @returns {number[]} */
  values(now_ms) {
    while (this.kept[0] && this.kept[0].at_ms < now_ms - this.window_ms) this.kept.shift();
    return this.kept.map((sample) => sample.value);
  }
}

/** Of the newest questions, that with the shortest way is believed: the others waited somewhere. */
const ANSWERS_KEPT = 16;

/** How far the other's clock is ahead of ours, by questions that each tell their time (as NTP does). */
export class Offset {
  constructor() {
    /** @type {{trip_ms: number, offset_ms: number}[]} */
    this.answers = [];
  }

  /**
   * @param {number} sent_ms by our clock
   * @param {number} theirs_ms by theirs, when they answered
   * @param {number} received_ms by our clock
   */
  answered(sent_ms, theirs_ms, received_ms) {
    const trip_ms = received_ms - sent_ms;
    if (trip_ms < 0) return;   // our clock was set meanwhile
    this.answers.push({ trip_ms, offset_ms: theirs_ms - (sent_ms + trip_ms / 2) });
    if (this.answers.length > ANSWERS_KEPT) this.answers.shift();
  }

  /** To be added to our clock; null before the first answer. */
  get best_ms() {
    return this.#best?.offset_ms ?? null;
  }

  /** The offset is right to half of this. */
  get trip_ms() {
    return this.#best?.trip_ms ?? null;
  }

  get #best() {
    return this.answers.reduce((best, answer) => (best && best.trip_ms <= answer.trip_ms ? best : answer),
      this.answers[0]);
  }
}
