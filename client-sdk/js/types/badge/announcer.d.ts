/** Says changes aloud to whoever listens to the page, politely, for all badges of it. */
/** Before the first change: what comes with its text is not read out everywhere. */
export declare function prepare(): void;
/** @param {string} key of what it is about
 * @param {string} text */
export declare function announce(key: string, text: string): void;
