/** Which requests bring the first values of a page's badges. Pure. */

/** So few are read one by one: each is a page that caches have already, whatever else this one shows. */
export const SINGLE_MAX = 3;
/** Of one address, with room for what proxies add: many of them take 8,000. */
export const CHARACTERS_MAX = 6_000;
/** As many as one answer may have. */
export const SKUS_MAX = 200;

/** @param {string} hub its read port's address, without a slash at its end
 * @param {string} location
 * @param {Iterable<string>} skus
 * @returns {string[]} addresses, the same for the same skus in any order: what is shared in a cache */
export function firstReads(hub, location, skus) {
  const wanted = [...new Set(skus)].sort();
  const dots = [location, ...wanted].some((name) => /^\.+$/.test(name)); // a path ends there; a query does not
  if (wanted.length <= SINGLE_MAX && !dots) {
    return wanted.map((sku) => `${hub}/v1/availability/${encodeURIComponent(location)}/${encodeURIComponent(sku)}`);
  }
  const beginning = `${hub}/v1/availability?location=${encodeURIComponent(location)}`;
  /** @type {string[]} */
  const addresses = [];
  let address = beginning;
  let count = 0;
  for (const sku of wanted) {
    const more = `&sku=${encodeURIComponent(sku)}`;
    if (count === SKUS_MAX || (count && address.length + more.length > CHARACTERS_MAX)) {
      addresses.push(address);
      address = beginning;
      count = 0;
    }
    address += more;
    count++;
  }
  return count ? [...addresses, address] : addresses;
}
