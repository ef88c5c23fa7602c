/**
 * Foreign code: one that throws must not take anything from the others, nor be silent.
 *
 * @param {() => unknown} call
 */
export declare function heed(call: () => unknown): void;
/** @param {unknown} error */
export declare const shout: (error: unknown) => void;
