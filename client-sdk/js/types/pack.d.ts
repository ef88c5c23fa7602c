import type { Position } from "./frame.js";
import type { Entry, Feed } from "./feed.js";
/**
 * One subscription of a connection: the skus that it names, and how far it has read.
 *
 * @import { Position } from "./frame.js"
 * @import { Entry, Feed } from "./feed.js"
 */
export declare class Pack {
    feed: Feed;
    /** Named when it is asked for; who is brought by it knows that, and it need not. */
    skus: readonly string[] | undefined;
    size: number;
    position: Position | undefined;
    /** Its id on this connection; 0: it was not asked for on this one. */
    id: number;
    /** When it may be asked for again. */
    notBefore_ms: number;
    /** How many skus are brought by it, and wanted. */
    live: number;
    /** A snapshot was completed, on whichever connection. */
    begun: boolean;
    isTaking: boolean;
    isComplete: boolean;
    /** It takes over skus of others as soon as it is complete: nobody has left it yet. */
    takesOver: boolean;
    /**
     * @param {Feed} feed
     * @param {readonly string[]} [skus]  Absent: the whole location.
     * @param {Position} [position]
     */
    constructor(feed: Feed, skus?: readonly string[], position?: Position);
    /** It is not asked for any more. */
    lost(): void;
    /** @param {Entry} entry */
    adopt(entry: Entry): void;
    /**
     * A heartbeat's promise. Never goes back.
     *
     * @param {Record<string, number>} seq
     */
    advance(seq: Record<string, number>): void;
}
/**
 * The position from which all that several packs hold can be resumed: the earliest of each shard. Undefined if one of
 * them has none. It belongs to no selection: whoever gives it back vouches that all of it is held.
 *
 * @param {Iterable<Pack | undefined>} packs
 * @returns {Position | undefined}
 */
export declare function earliest(packs: Iterable<Pack | undefined>): Position | undefined;
