/** At which pace a page says aloud what has changed. Pure. */
export declare const EVERY_MS = 5000;
/** A listener hears at most so many at a time: what does not fit is on the page all the same. */
export declare const TOGETHER_MAX = 3;
export declare class Pace {
    #private;
    /** @param {string} key whose earlier text, if nobody heard it yet, is no longer true
     * @param {string} text */
    offer(key: string, text: string): void;
    /** @param {number} now_ms
     * @returns {number | undefined} milliseconds until something is to be said; undefined: there is nothing */
    wait_ms(now_ms: number): number | undefined;
    /** @param {number} now_ms
     * @returns {string} everything that waits, as one text */
    take(now_ms: number): string;
}
