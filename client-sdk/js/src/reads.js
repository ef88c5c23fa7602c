/** What the public sees, by the reads that caches keep. */
import { Unavailable } from "./errors.js";

/**
 * @typedef {object} Read
 * @property {import("./level.js").Availability[]} views
 * @property {boolean} isFresh
 * @property {string | undefined} history  Of the one that the answer is from.
 */

/** So few are read one by one: each is a page that caches have already, whatever else this one shows. */
export const SINGLE_MAX = 3;
/** Of one address, with room for what proxies add: many of them take 8,000. */
export const CHARACTERS_MAX = 6_000;
/** As many as one answer may have. */
export const SKUS_MAX = 200;

/**
 * The addresses of these: the same for the same skus in any order, which is what is shared in a cache.
 *
 * @param {string} hub  Its read port's address, without a slash at its end.
 * @param {string} location
 * @param {Iterable<string>} skus
 * @returns {string[]}
 */
export function addressesOf(hub, location, skus) {
  const wanted = [...new Set(skus)].sort(), path = `${hub}/v1/availability`, place = encodeURIComponent(location);
  const dots = [location, ...wanted].some((name) => /^\.+$/.test(name)); // a path ends there; a query does not
  if (wanted.length <= SINGLE_MAX && !dots) return wanted.map((sku) => `${path}/${place}/${encodeURIComponent(sku)}`);
  const addresses = [];
  let address = "", count = SKUS_MAX;
  for (const sku of wanted) {
    const more = `&sku=${encodeURIComponent(sku)}`;
    if (count === SKUS_MAX || address.length + more.length > CHARACTERS_MAX) {
      if (address) addresses.push(address);
      address = `${path}?location=${place}`;
      count = 0;
    }
    address += more;
    count++;
  }
  return [...addresses, address];
}

/**
 * Rejects with Unavailable for what the hub refuses, and with anything else for what did not arrive.
 *
 * @param {string} address
 * @param {typeof globalThis.fetch} fetch
 * @param {AbortSignal} signal
 * @returns {Promise<Read>}
 */
export async function read(address, fetch, signal) {
  const answer = await fetch(address, { credentials: "omit", signal });
  const content = await answer.json(), { headers } = answer;
  if (!answer.ok) throw new Unavailable(`${address}: ${content.detail ?? content.title ?? answer.status}`);
  const history = headers.get("ETag")?.split("-")[0];
  return { views: content.views ?? [content], isFresh: headers.get("Stockwire-Fresh") !== "false", history };
}
