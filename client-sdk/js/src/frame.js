/**
 * Messages of protocol v1, as a client sends and reads them: one JSON object with a `type` in each. Unknown fields and
 * unknown types are ignored, so that a hub may be newer than this client. Held to wire/vectors.
 *
 * @import { Kind } from "./kind.js"
 * @import { Watched } from "./level.js"
 *
 * @typedef {{ epoch: string, seq: Record<string, number>, selection?: string }} Position  Opaque to applications.
 * @typedef {{ type: "connected", id: number, node: string, epoch: string, heartbeat_s: number,
 *   expires_at: string | null, expires_in_s?: number | null }} Connected
 * @typedef {{ type: "subscribed", id: number, sub: number, recovered: boolean }} Subscribed
 * @typedef {{ type: "snapshot", sub: number, levels?: Watched[], views?: Watched[], thresholds?: Watched[],
 *   last: boolean, position?: Position | null }} Part
 * @typedef {{ type: "refreshed", id: number, expires_at: string | null, expires_in_s?: number | null }} Refreshed
 * @typedef {{ type: "heartbeat", seq: Record<string, number>, fresh: boolean, lag_ms: number, sub?: number }} Heartbeat
 * @typedef {{ type: "error", id: number | null, code: string, message: string }} ErrorReply
 * @typedef {{ type: "disconnect", code: number, reason: string, reconnect: boolean, after_ms: number }} Disconnect
 * @typedef {{ type: "unsubscribed", id: number, sub: number }} Unsubscribed
 * @typedef {Watched & { type: "level" | "view" | "threshold" }} Told
 * @typedef {Connected | Subscribed | Part | Refreshed | Heartbeat | ErrorReply | Disconnect | Unsubscribed | Told} Message
 */

export const SUBPROTOCOL = "stockwire.v1";
// A wrong one would never notice silence
const HEARTBEAT_S_MAX = 3_600;

/** @param {any} value */
export const isText = (value) => typeof value === "string";
export const isWhole = Number.isSafeInteger;
/** @param {any} value */
export const isObject = (value) => typeof value === "object" && value !== null;
/** @param {any} value */
const isSeq = (value) => isObject(value) && Object.values(value).every(isWhole);

/**
 * Whether a message has the shape that the protocol gives it, as far as this client decides by it or counts with it. What
 * is told of stock, in a message of its own or in a snapshot, the kind that is watched knows.
 *
 * @type {Record<string, (message: any) => boolean>}
 */
const SHAPES = {
  // @ts-expect-error no type of a message is a name that all objects have
  __proto__: null,
  heartbeat: (m) => isSeq(m.seq) && isWhole(m.lag_ms),
  connected: (m) => isText(m.epoch) && m.heartbeat_s > 0 && m.heartbeat_s < HEARTBEAT_S_MAX,
  snapshot: (m) => (m.position ? isText(m.position.epoch) && isSeq(m.position.seq) : !(m.last && m.levels)),
  error: (m) => isText(m.code),
  disconnect: (m) => isWhole(m.code) && isWhole(m.after_ms),
};

/**
 * The message, held as it was parsed: nothing is copied. Throws Error for what is no message of the protocol.
 *
 * @param {string} text
 * @returns {Message}
 */
export function parse(text) {
  const message = JSON.parse(text), { type } = message;
  if (SHAPES[type]?.(message) === false) throw new Error(type);
  return message;
}

/**
 * What a part of a snapshot has of a kind; undefined if it is of another, or not as the protocol has it.
 *
 * @param {Part} part
 * @param {Kind} kind
 */
export function rowsOf(part, kind) {
  const rows = part[kind.part];
  return rows?.every(kind.isRow) ? rows : undefined;
}

/**
 * What is undefined is left out.
 *
 * @param {string} type  `connect`, `subscribe`, `unsubscribe` or `refresh`; one that no hub knows is answered all the same
 *   (`error`, `unknown-type`): the cheapest sign of life that can be asked for.
 * @param {number} id
 * @param {object} [members]
 */
export const request = (type, id, members) => JSON.stringify({ type, id, ...members });
