/** What a badge says, in which language. Pure. */
export type State = "in-stock" | "low" | "out" | "back";
export type Name = State | "stale";
export type Words = Record<Name, string>;
export declare const NAMES: Name[];
/** Said while nothing is known yet of another sku than the one that the text inside was written for. */
export declare const WAITING = "\u2026";
/** @param {string | null} tag as in a `lang` attribute, such as `de-AT`
 * @returns {Words} in English where there are none */
export declare function wordsIn(tag: string | null): Words;
/** @param {Words} words
 * @param {State} state
 * @param {boolean} stale whether it may be old
 * @returns {string} */
export declare function wordOf(words: Words, state: State, stale: boolean): string;
/** Everything that may come to be said, one to a line: what has room for this never changes its width.
 * @param {Words} words
 * @returns {string} */
export declare function everyWord(words: Words): string;
