/** All that one hub tells the badges of a page: each level once, however many badges show it. */
export type Seen = import("./states.js").Seen;
export type Shown = import("./states.js").Shown;
export type View = import("../view.js").View<Seen>;
export type Visitor = import("./visitor.js").Visitor;
/** One level, for as long as a badge shows it. */
export declare class Good {
    #private;
    location: string;
    sku: string;
    /** @type {Set<() => void>} */
    readers: Set<() => void>;
    /** @type {Shown | undefined} */
    shown: Shown | undefined;
    /** @type {View | undefined} */
    view: View | undefined;
    /** Whether all was asked that there is to ask, and nothing is known.
     * @type {boolean} */
    failed: boolean;
    /** @param {string} location
     * @param {string} sku */
    constructor(location: string, sku: string);
    /** What a read brought, which counts until the stream says more.
     * @param {Seen} seen
     * @param {boolean} fresh
     * @param {number} now_ms */
    read(seen: Seen, fresh: boolean, now_ms: number): void;
    /** Tells the readers.
     * @param {number} now_ms */
    look(now_ms: number): void;
}
export declare class Shelf {
    #private;
    /** @param {string} hub its read port
     * @param {Visitor} visitor
     * @param {(text: string) => void} note for whoever writes the page; it says a thing once */
    constructor(hub: string, visitor: Visitor, note: (text: string) => void);
    /** @param {string} location
     * @param {string} sku
     * @param {() => void} reader called whenever something may have changed
     * @returns {Good} */
    take(location: string, sku: string, reader: () => void): Good;
    /** @param {Good} good
     * @param {() => void} reader as it was taken with */
    leave(good: Good, reader: () => void): void;
}
