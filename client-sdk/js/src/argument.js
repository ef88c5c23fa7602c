/** What callers give: taken as what it is, or Invalid with the argument's name, before anything is sent. */
import { invalid } from "./errors.js";
import { isName } from "./name.js";

/** As many as a level can hold. */
export const UNITS_MAX = 2 ** 31 - 1;

/** @param {unknown} value */
const shown = (value) => (typeof value === "string" ? JSON.stringify(value) : String(value)).slice(0, 80);

/**
 * @param {string} field
 * @param {unknown} value
 */
export function text(field, value) {
  if (typeof value !== "string") throw invalid(field, `${shown(value)} is no text`);
  if (!value.isWellFormed()) throw invalid(field, `${shown(value)} has half a character (a lone surrogate)`);
  return value;
}

/**
 * Undefined, or null, is left out of what is sent.
 *
 * @template T
 * @template {unknown[]} Bounds
 * @param {(field: string, value: unknown, ...bounds: Bounds) => T} check
 * @param {string} field
 * @param {unknown} value
 * @param {Bounds} bounds
 */
export const optional = (check, field, value, ...bounds) =>
  value === undefined || value === null ? undefined : check(field, value, ...bounds);

/**
 * A whole number; by default one that every language reads exactly.
 *
 * @param {string} field
 * @param {unknown} value
 */
export function whole(field, value, least = -Number.MAX_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER) {
  const number = /** @type {number} */ (value);
  if (!Number.isInteger(value)) throw invalid(field, `${shown(value)} is no whole number`);
  if (number < least || number > most) throw invalid(field, `${number} is not within ${least} and ${most}`);
  return number;
}

/**
 * @param {string} field
 * @param {unknown} value
 */
export function seconds(field, value, least = 0, most = 366 * 86_400) {
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    throw invalid(field, `${shown(value)} is no number of seconds within ${least} and ${most}`);
  }
  return value;
}

/**
 * A sku or a location.
 *
 * @param {string} field
 * @param {unknown} value
 */
export function name(field, value) {
  if (isName(text(field, value))) return /** @type {string} */ (value);
  throw invalid(field, `${shown(value)} is not 1 to 64 visible characters without / and *`);
}

/**
 * @param {string} field
 * @param {unknown} value
 */
export function flag(field, value) {
  if (typeof value !== "boolean") throw invalid(field, `${shown(value)} is neither true nor false`);
  return value;
}

/**
 * Several, each a `kind`.
 *
 * @template T
 * @param {string} field
 * @param {unknown} values
 * @param {abstract new (...given: any[]) => T} kind
 * @param {string} how  Such things are made.
 */
export function each(field, values, kind, how) {
  const found = several(field, values);
  found.forEach((one, number) => {
    if (!(one instanceof kind)) throw invalid(`${field}[${number}]`, `${shown(one)} is not made with ${how}`);
  });
  return /** @type {T[]} */ (found);
}

/**
 * Any iterable but text, which is several characters.
 *
 * @param {string} field
 * @param {any} values
 * @returns {unknown[]}
 */
export function several(field, values) {
  if (typeof values === "string" || !values?.[Symbol.iterator]) throw invalid(field, `${shown(values)} is no list`);
  return [...values];
}

/**
 * The caller's key, or a new one: made once per call, so that every retry of the call carries the same.
 *
 * @param {unknown} key
 */
export function keyOf(key) {
  const given = optional(text, "key", key);
  if (given === undefined) return newKey();
  if (!/^[\x21-\x7e]{1,200}$/.test(given) || given[0] === '"') {
    throw invalid("key", "an idempotency key is 1 to 200 visible ASCII characters, not beginning with a quote");
  }
  return given;
}

/** Pages over plain http, as in a shop's own network, have no randomUUID. */
const newKey = () => crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-");

/**
 * @param {string} what
 * @param {unknown} id
 */
export function idOf(what, id) {
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text("id", id))) {
    throw invalid("id", `${shown(id)} is not the id of a ${what}: that is a UUID`);
  }
  return /** @type {string} */ (id);
}
