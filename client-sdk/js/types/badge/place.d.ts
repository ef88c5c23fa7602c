/** Where the hub is that a script came from. Pure. */
/** @param {string} text an address, or part of one
 * @param {string} base what it is relative to
 * @returns {string | undefined} of a hub's read port, without a slash at its end; undefined: it is none */
export declare function hubAt(text: string, base: string): string | undefined;
/** @param {string} script the address of this very script: its hub, unless `?hub=` names another
 * @returns {string | undefined} */
export declare function hubOf(script: string): string | undefined;
