// How true what is shown is. Pure: one word, why, and since when; everything that is not live is shown as old.

import { clock, duration } from "./format.js";

/** @typedef {import("./live.js").Link} Link */
/**
 * @typedef {{word: "live" | "behind" | "connecting" | "reconnecting" | "stopped", text: string, old: boolean}}
 *   Condition
 */

/**
 * @param {Link} link to the console
 * @param {any} data what is shown; null: nothing yet
 * @param {string | null} true_at when the numbers were true, by the console
 * @returns {Condition}
 */
export function conditionOf(link, data, true_at) {
  const as_of = true_at ? `numbers as of ${clock(true_at)}` : "nothing known yet";
  if (link.state === "live") {
    const state = data?.state ?? "live";
    if (state === "live") return { word: "live", text: "live", old: false };
    const lag = typeof data.lag_ms === "number" ? ` by ${duration(data.lag_ms / 1000)}` : "";
    return { word: "behind", text: `${state}${lag}, ${as_of}`, old: data !== null };
  }
  if (link.state === "reconnecting") {
    return { word: "reconnecting", text: `reconnecting since ${clock(link.since_ms)}, ${as_of}: ${link.reason}`,
      old: data !== null };
  }
  if (link.state === "failed" || link.state === "signed out") return { word: "stopped",
    text: `stopped: ${link.reason}`, old: data !== null };
  return { word: "connecting", text: "connecting", old: data !== null };
}
