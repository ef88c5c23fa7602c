import type { Link } from "./link.js";
export type Storage = Pick<globalThis.Storage, "getItem" | "setItem">;
export declare class Kept {
    #private;
    /**
     * Takes up what is there.
     *
     * @param {Link} link
     * @param {Storage} storage
     * @param {string} name
     */
    constructor(link: Link, storage: Storage, name: string);
    get isBlocked(): boolean;
    /** @param {boolean} isBlocked */
    block(isBlocked: boolean): void;
    /** Only what is known to be true, or was until the connection ended: Firefox ends it before a page hears that it is left. */
    save(): void;
}
