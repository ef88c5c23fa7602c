/** Which requests bring the first values of a page's badges. Pure. */
/** So few are read one by one: each is a page that caches have already, whatever else this one shows. */
export declare const SINGLE_MAX = 3;
/** Of one address, with room for what proxies add: many of them take 8,000. */
export declare const CHARACTERS_MAX = 6000;
/** As many as one answer may have. */
export declare const SKUS_MAX = 200;
/** @param {string} hub its read port's address, without a slash at its end
 * @param {string} location
 * @param {Iterable<string>} skus
 * @returns {string[]} addresses, the same for the same skus in any order: what is shared in a cache */
export declare function firstReads(hub: string, location: string, skus: Iterable<string>): string[];
