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

import { EdgeFeed } from "./edges.js";
import { isObject, isText, isWhole } from "./frame.js";

/** @param {any} row */
const isNamed = (row) => isText(row.sku) && isText(row.location) && isWhole(row.version);

/** @type {Kind} */
export const LEVELS = {
  key: "level",
  type: "level",
  part: "levels",
  asks: {},
  never: { version: 0, on_hand: 0, reserved: 0, available: 0, kind: null, committed_at: null, seq: 0 },
  isRow: (row) =>
    isNamed(row) && isWhole(row.on_hand) && isWhole(row.reserved) && isWhole(row.available) && isWhole(row.seq),
};

/** @type {Kind} */
export const PUBLIC = {
  key: "view",
  type: "view",
  part: "views",
  asks: { view: "public" },
  never: { version: 0, availability: "out", quantity: "0" },
  isRow: (row) => isNamed(row) && isText(row.availability) && isText(row.quantity),
};

/**
 * @param {When} when
 * @param {boolean} isPublic  What the public sees never says a number, and by that its messages are told apart.
 */
const thresholdKey = (when, isPublic) => [isPublic, when.at_most, when.at_least, when.until].join();

/**
 * @param {When} when
 * @param {boolean} isPublic
 * @returns {Kind}
 */
export function thresholds(when, isPublic) {
  const key = thresholdKey(when, isPublic);
  return {
    key,
    type: "threshold",
    part: "thresholds",
    asks: isPublic ? { view: "public", when } : { when },
    never: { version: 0, raised: false, available: null },
    Feed: EdgeFeed,
    isRow: (row) =>
      isNamed(row) && isObject(row.when) && Object.freeze(row.when) && (row.raised === null || typeof row.raised === "boolean"),
    isOurs: (told) => thresholdKey(told.when, told.available === undefined) === key,
  };
}
