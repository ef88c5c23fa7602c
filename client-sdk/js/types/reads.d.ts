export type Read = {
    views: import("./level.js").Availability[];
    isFresh: boolean;
    /**
     * Of the one that the answer is from.
     */
    history: string | undefined;
};
/**
 * @typedef {object} Read
 * @property {import("./level.js").Availability[]} views
 * @property {boolean} isFresh
 * @property {string | undefined} history  Of the one that the answer is from.
 */
/** So few are read one by one: each is a page that caches have already, whatever else this one shows. */
export declare const SINGLE_MAX = 3;
/** Of one address, with room for what proxies add: many of them take 8,000. */
export declare const CHARACTERS_MAX = 6000;
/** As many as one answer may have. */
export declare const SKUS_MAX = 200;
/**
 * The addresses of these: the same for the same skus in any order, which is what is shared in a cache.
 *
 * @param {string} hub  Its read port's address, without a slash at its end.
 * @param {string} location
 * @param {Iterable<string>} skus
 * @returns {string[]}
 */
export declare function addressesOf(hub: string, location: string, skus: Iterable<string>): string[];
/**
 * Rejects with Unavailable for what the hub refuses, and with anything else for what did not arrive.
 *
 * @param {string} address
 * @param {typeof globalThis.fetch} fetch
 * @param {AbortSignal} signal
 * @returns {Promise<Read>}
 */
export declare function read(address: string, fetch: typeof globalThis.fetch, signal: AbortSignal): Promise<Read>;
