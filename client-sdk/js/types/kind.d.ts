/**
 * What a subscription is about: levels, what the public sees of them, or the crossings of a threshold.
 *
 * @import { Watched } from "./level.js"
 * @typedef {{ at_most?: number, at_least?: number, until?: number }} When  A threshold as on the wire.
 *
 * @typedef {object} Kind
 * @property {string} key  The same for the same kind.
 * @property {"level" | "view" | "threshold"} type  Of a message of its own.
 * @property {"levels" | "views" | "thresholds"} part  Its list in a snapshot.
 * @property {{ view?: "public", when?: When }} asks  Its members of `subscribe`.
 * @property {object} never  Of something held before: what it is when nothing was ever booked there.
 */
import type { Watched } from "./level.js";
export type When = {
    at_most?: number;
    at_least?: number;
    until?: number;
};
export type Kind = {
    /**
     * The same for the same kind.
     */
    key: string;
    /**
     * Of a message of its own.
     */
    type: "level" | "view" | "threshold";
    /**
     * Its list in a snapshot.
     */
    part: "levels" | "views" | "thresholds";
    /**
     * Its members of `subscribe`.
     */
    asks: {
        view?: "public";
        when?: When;
    };
    /**
     * Of something held before: what it is when nothing was ever booked there.
     */
    never: object;
};
/** @type {Kind} */
export declare const LEVELS: Kind;
/** @type {Kind} */
export declare const PUBLIC: Kind;
/**
 * @param {When} when
 * @param {boolean} isPublic  What the public sees never says a number, and by that its messages are told apart.
 */
export declare const thresholdKey: (when: When, isPublic: boolean) => string;
/**
 * @param {When} when
 * @param {boolean} isPublic
 * @returns {Kind}
 */
export declare const thresholds: (when: When, isPublic: boolean) => Kind;
/**
 * What is to be held after `told`. One that is undecided (between the edges, not seen from which side it came there)
 * keeps what is known, else it counts as not raised at version 0: what any hub knows for sure counts more.
 *
 * @param {any} told
 * @param {Watched | undefined} known
 * @returns {Watched}
 */
export declare const settle: (told: any, known: Watched | undefined) => Watched;
