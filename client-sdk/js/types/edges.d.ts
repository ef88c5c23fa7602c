import type { Entry } from "./feed.js";
import type { Watched } from "./level.js";
/**
 * On which side of a threshold levels stand, and stood when it was told last: only an edge is told. Pure.
 *
 * @import { Entry } from "./feed.js"
 * @import { Watched } from "./level.js"
 */
export declare class Edges {
    #private;
    /**
     * What is to be held after `told`. One that is undecided (between the edges, not seen from which side it came there)
     * keeps what is known, else it counts as not raised at version 0: what any hub knows for sure counts more.
     *
     * @param {any} told
     * @param {Watched | undefined} known
     * @returns {Watched}
     */
    settle(told: any, known: Watched | undefined): Watched;
    /**
     * Where something stands when it is seen first is no crossing.
     *
     * @param {Entry} entry
     */
    see(entry: Entry): void;
    /**
     * Whether it crossed. What has just come into being was not raised before.
     *
     * @param {Entry} entry
     */
    isNews(entry: Entry): boolean;
}
