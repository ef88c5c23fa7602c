import type { Kind } from "./kind.js";
import type { Position } from "./frame.js";
import type { StockwireError } from "./errors.js";
import type { Watched } from "./level.js";
export type Watcher = {
    note(level: Watched | undefined): void;
};
/**
 * The newest known of what is watched of one kind at one location: some skus of it, or all of it. Pure: what comes in
 * decides, in whatever order it comes.
 *
 * Within an epoch no version ever goes back, not even of a level that a complete snapshot left out: what was held of it
 * is remembered.
 *
 * @import { Kind } from "./kind.js"
 * @import { Position } from "./frame.js"
 * @import { StockwireError } from "./errors.js"
 * @import { Watched } from "./level.js"
 *
 * @typedef {{ note(level: Watched | undefined): void }} Watcher  Is told what changed, `undefined`: gone.
 */
import { Pack } from "./pack.js";
export type Entry = {
    held: Watched | undefined;
    watchers: readonly Watcher[];
    pack: Pack | undefined;
    isDirty: boolean;
};
/**
 * @param {Pack} [pack]
 * @returns {Entry}
 */
export declare const newEntry: (pack?: Pack) => Entry;
export declare class Feed {
    #private;
    kind: Kind;
    location: string;
    isNamed: boolean;
    /** @type {Map<string, Watched>} What a complete snapshot left out. */
    gone: Map<string, Watched>;
    /** @type {Entry[]} Those that are, each once. */
    dirty: Entry[];
    /** @type {Map<string, Entry>} */
    entries: Map<string, Entry>;
    /** @type {Set<Watcher>} Of all of it. */
    watchers: Set<Watcher>;
    /** @type {Pack[]} What it is subscribed by; of a whole location always one. */
    packs: Pack[];
    /** @type {Map<Pack, Set<string>>} Those in the middle of a complete snapshot, with what it has named so far. */
    taking: Map<Pack, Set<string>>;
    /** @type {Set<string>} Wanted, and no subscription names it yet. */
    loose: Set<string>;
    /** @type {Map<string, number>} Wanted by nobody any more, since when. */
    idle: Map<string, number>;
    /** @type {StockwireError | undefined} The hub does not serve it, and will not. */
    error: StockwireError | undefined;
    /** @type {StockwireError | undefined} Why it did not the last time. */
    why: StockwireError | undefined;
    /**
     * @param {Kind} kind
     * @param {string} location  Or `*`.
     * @param {boolean} isNamed  Only the skus that are wanted; else all there are.
     */
    constructor(kind: Kind, location: string, isNamed: boolean);
    /** @param {{ sku: string, location?: string | undefined }} level */
    keyOf({ sku, location }: {
        sku: string;
        location?: string | undefined;
    }): string;
    /**
     * Hold it if it is newer than what is held.
     *
     * @param {Watched} level
     */
    apply(level: Watched): void;
    /**
     * @param {Pack} pack
     * @param {boolean} recovered  Only what changed since its position is named; else everything there is.
     */
    beginSnapshot(pack: Pack, recovered: boolean): void;
    /**
     * All parts have been applied. What a complete one did not name, and no message since, is gone: unless it is of an
     * event behind `position`, which this hub has not heard of yet. Another had, whose snapshot was cut off.
     *
     * @param {Pack} pack
     * @param {Position | undefined} position
     */
    endSnapshot(pack: Pack, position: Position | undefined): void;
    /** Another epoch: nothing that is held means anything any more, and no position either. */
    drop(): void;
    /** The connection has gone. */
    lost(): void;
    /** Tell the watchers of each what has changed. */
    tell(): void;
    /** @param {string} key */
    forget(key: string): void;
}
