// How numbers and times are written. Pure. What is null was not measured, and is never written as a number.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const ONE = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const NOT_KNOWN = "not known";

/** @typedef {number | null | undefined} Number_ */

/** @param {Number_} value @returns {value is number} */
export const known = (value) => typeof value === "number" && Number.isFinite(value);

/** @param {Number_} value */
export const whole = (value) => (known(value) ? WHOLE.format(value) : NOT_KNOWN);

/** A signed number, as a change is written: "+3", "−2". @param {Number_} value */
export function signed(value) {
  if (!known(value)) return NOT_KNOWN;
  return (value < 0 ? "−" : value > 0 ? "+" : "±") + WHOLE.format(Math.abs(value));
}

/** Something a second: small ones with a digit behind the point. @param {Number_} value */
export function rate(value) {
  if (!known(value)) return NOT_KNOWN;
  return value > 0 && value < 99.95 ? ONE.format(value) : WHOLE.format(value);
}

/** Milliseconds: a digit behind the point below 100. @param {Number_} value */
export const milliseconds = (value) => (known(value) ? (value < 99.95 ? ONE : WHOLE).format(value) : NOT_KNOWN);

/** Large numbers where room is short: "12.3K". @param {Number_} value */
export const short = (value) => (known(value) ? (Math.abs(value) < 10000 ? WHOLE : SHORT).format(value) : NOT_KNOWN);

/** @param {Number_} bytes */
export const mebibytes = (bytes) => (known(bytes) ? WHOLE.format(bytes / 2 ** 20) : NOT_KNOWN);

/** A part of the whole: "38 %". @param {Number_} part @param {Number_} all */
export function percent(part, all) {
  if (!known(part) || !known(all) || all <= 0) return NOT_KNOWN;
  return `${WHOLE.format(Math.min(100, Math.max(0, (100 * part) / all)))} %`;
}

/** How long: its two largest units, "1 h 20 min". @param {Number_} seconds */
export function duration(seconds) {
  if (!known(seconds)) return NOT_KNOWN;
  const whole_s = Math.max(0, seconds);
  if (whole_s < 1) return `${Math.round(whole_s * 1000)} ms`;
  if (whole_s < 9.95) return `${ONE.format(whole_s)} s`;
  const all = Math.round(whole_s);
  if (all < 60) return `${all} s`;
  if (all < 3600) return two(Math.floor(all / 60), "min", all % 60, "s");
  if (all < 86400) return two(Math.floor(all / 3600), "h", Math.floor((all % 3600) / 60), "min");
  return two(Math.floor(all / 86400), "d", Math.floor((all % 86400) / 3600), "h");
}

/** @param {number} large @param {string} unit @param {number} small @param {string} smaller */
const two = (large, unit, small, smaller) => (small ? `${large} ${unit} ${small} ${smaller}` : `${large} ${unit}`);

/** @param {number} value @param {number} digits */
const padded = (value, digits = 2) => String(value).padStart(digits, "0");

/**
 * A time of day here: "23:10:05".
 * @param {number | string | null | undefined} at milliseconds, or RFC 3339
 */
export function clock(at) {
  const date = dateOf(at);
  return date ? `${padded(date.getHours())}:${padded(date.getMinutes())}:${padded(date.getSeconds())}` : NOT_KNOWN;
}

/** The same with milliseconds. @param {number | string | null | undefined} at */
export function preciseClock(at) {
  const date = dateOf(at);
  return date ? `${clock(date.getTime())}.${padded(date.getMilliseconds(), 3)}` : NOT_KNOWN;
}

/** Day and time here: "2026-11-29 23:10:05". @param {number | string | null | undefined} at */
export function moment(at) {
  const date = dateOf(at);
  if (!date) return NOT_KNOWN;
  return `${date.getFullYear()}-${padded(date.getMonth() + 1)}-${padded(date.getDate())} ${clock(date.getTime())}`;
}

/** Today the time, on other days the day too. @param {number | string | null | undefined} at @param {number} now_ms */
export function when(at, now_ms) {
  const date = dateOf(at);
  if (!date) return NOT_KNOWN;
  return date.toDateString() === new Date(now_ms).toDateString() ? clock(date.getTime()) : moment(date.getTime());
}

/** @param {number | string | null | undefined} at */
function dateOf(at) {
  if (at === null || at === undefined) return null;
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${WHOLE.format(count)} ${count === 1 ? one : many}`;

/** What is stored as a word, for people: "write_off" is "write off". @param {string} word */
export const spoken = (word) => word.replaceAll("_", " ").replaceAll("-", " ");
