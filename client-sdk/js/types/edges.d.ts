import type { Watched } from "./level.js";
/**
 * On which side of a threshold levels stand, and stood when it was told last: only an edge is told. Pure.
 *
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
     * @param {string} key
     * @param {any} held
     */
    see(key: string, held: any): void;
    /**
     * Whether it crossed. What has just come into being was not raised before.
     *
     * @param {string} key
     * @param {any} held
     */
    isNews(key: string, held: any): boolean;
    /** @param {string} key */
    delete(key: string): void;
}
