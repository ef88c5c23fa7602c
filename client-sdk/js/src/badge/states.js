/** What is known of a level, and whether it still is. Pure.
 *
 * @typedef {import("./words.js").State} State
 * @typedef {{sku: string, location: string, version: number, availability: "in_stock" | "low" | "out", quantity: string}} Seen
 *   what the public sees of a level, as on the wire
 * @typedef {{state: State, stale: boolean, seen: Seen}} Shown
 */

/** For so long an answer that was read counts as known while the stream is still on its way. */
export const FACT_MS = 10_000;

/** `back` stays until it is sold out again or runs low.
 * @param {{state: State, seen: Seen} | undefined} before
 * @param {Seen} seen
 * @returns {State} */
export function stateOf(before, { availability }) {
  if (availability === "out") return "out";
  const fewer = before?.seen.availability === "in_stock" && availability === "low";
  if (before?.state === "out" || (before?.state === "back" && !fewer)) return "back";
  return availability === "low" ? "low" : "in-stock";
}

/** What is shown. Undefined: nothing is known. Version 0 is a level that never moved, or a name that is misspelt: who wrote
 * the page knows more.
 * @param {Shown | undefined} fact what was last known for sure; only that can be back
 * @param {Seen | undefined} seen the newest, if there is any
 * @param {boolean} sure whether it is known to be so now
 * @returns {Shown | undefined} */
export function shownOf(fact, seen, sure) {
  if (!seen && !sure && fact) return { ...fact, stale: true };
  return seen?.version ? { state: stateOf(fact, seen), stale: !sure, seen } : undefined;
}

/** @param {Shown | undefined} one
 * @param {Shown | undefined} other
 * @returns {boolean} whether both look the same */
export function alike(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
