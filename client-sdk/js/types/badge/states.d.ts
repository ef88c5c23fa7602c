/** What is known of a level, and whether it still is. Pure.
 *
 * @typedef {import("./words.js").State} State
 * @typedef {{sku: string, location: string, version: number, availability: "in_stock" | "low" | "out", quantity: string}} Seen
 *   what the public sees of a level, as on the wire
 * @typedef {{state: State, stale: boolean, seen: Seen}} Shown
 */
export type State = import("./words.js").State;
export type Seen = {
    sku: string;
    location: string;
    version: number;
    availability: "in_stock" | "low" | "out";
    quantity: string;
};
export type Shown = {
    state: State;
    stale: boolean;
    seen: Seen;
};
/** For so long an answer that was read counts as known while the stream is still on its way. */
export declare const FACT_MS = 10000;
/** `back` stays until it is sold out again or runs low.
 * @param {{state: State, seen: Seen} | undefined} before
 * @param {Seen} seen
 * @returns {State} */
export declare function stateOf(before: {
    state: State;
    seen: Seen;
} | undefined, { availability }: Seen): State;
/** What is shown. Undefined: nothing is known. Version 0 is a level that never moved, or a name that is misspelt: who wrote
 * the page knows more.
 * @param {Shown | undefined} fact what was last known for sure; only that can be back
 * @param {Seen | undefined} seen the newest, if there is any
 * @param {boolean} sure whether it is known to be so now
 * @returns {Shown | undefined} */
export declare function shownOf(fact: Shown | undefined, seen: Seen | undefined, sure: boolean): Shown | undefined;
/** @param {Shown | undefined} one
 * @param {Shown | undefined} other
 * @returns {boolean} whether both look the same */
export declare function alike(one: Shown | undefined, other: Shown | undefined): boolean;
