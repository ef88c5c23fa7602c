import type { Position } from "./frame.js";
import type { Pack } from "./pack.js";
/**
 * A feed of thresholds: on which side of it levels stand, and stood when it was told last. Only an edge is told. Pure.
 *
 * @import { Entry } from "./feed.js"
 * @import { Position } from "./frame.js"
 * @import { Pack } from "./pack.js"
 */
import { Feed } from "./feed.js";
export declare class EdgeFeed extends Feed {
    #private;
    /**
     * One that is undecided (between the edges, not seen from which side it came there) keeps what is known, else it counts
     * as not raised at version 0: what any hub knows for sure counts more.
     *
     * @override
     * @param {any} told
     */
    apply(told: any): void;
    /**
     * Where something stands when it is seen first is no crossing.
     *
     * @override
     * @param {Pack} pack
     * @param {Position | undefined} position
     */
    endSnapshot(pack: Pack, position: Position | undefined): void;
    /**
     * One in the middle of a snapshot waits for the end of it.
     *
     * @override
     */
    tell(): void;
}
