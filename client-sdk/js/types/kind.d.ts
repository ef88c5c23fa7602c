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
 * @property {typeof EdgeFeed} [Feed]  Of what is told by its crossings only.
 * @property {object} never  Of something held before: what it is when nothing was ever booked there.
 * @property {(row: any) => boolean} isRow  Whether what a hub tells has the shape that the protocol gives it.
 * @property {(told: any) => boolean} [isOurs]  Whether it is of this kind, if not all of its `type` are.
 */
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
     * Of what is told by its crossings only.
     */
    Feed?: typeof EdgeFeed;
    /**
     * Of something held before: what it is when nothing was ever booked there.
     */
    never: object;
    /**
     * Whether what a hub tells has the shape that the protocol gives it.
     */
    isRow: (row: any) => boolean;
    /**
     * Whether it is of this kind, if not all of its `type` are.
     */
    isOurs?: (told: any) => boolean;
};
import { EdgeFeed } from "./edges.js";
/** @type {Kind} */
export declare const LEVELS: Kind;
/** @type {Kind} */
export declare const PUBLIC: Kind;
/**
 * @param {When} when
 * @param {boolean} isPublic
 * @returns {Kind}
 */
export declare function thresholds(when: When, isPublic: boolean): Kind;
