// What a row of the launch says. Pure.

import { duration, known, NOT_KNOWN } from "../base/format.js";

/** From a tenth of what there was downwards few are left. */
const FEW = 0.1;

/** @param {any} row */
export const keyOf = (row) => `${row.location}/${row.sku}`;

/**
 * @param {any} row
 * @returns {{part: number | null, tone: "good" | "warn" | "bad"}}
 */
export function leftOf(row) {
  const part = known(row.had) && row.had > 0 ? row.available / row.had : null;
  return { part, tone: row.available === 0 ? "bad" : part !== null && part <= FEW ? "warn" : "good" };
}

/** At this pace, in tenths of a minute. @param {any} row */
export function untilEmpty(row) {
  if (row.available === 0) return "sold out";
  if (row.minutes_left === 0) return "under 3 s";
  return known(row.minutes_left) ? duration(row.minutes_left * 60) : NOT_KNOWN;
}
