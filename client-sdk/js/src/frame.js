/**
 * Messages of protocol v1, as a client sends and reads them: one JSON object with a `type` in each. Unknown fields and
 * unknown types are ignored, so that a hub may be newer than this client. Held to wire/vectors.
 *
 * @import { Kind, When } from "./kind.js"
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
const isText = (value) => typeof value === "string";
const isWhole = Number.isSafeInteger;
/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null;
/** @param {any} value */
const isSeq = (value) => isObject(value) && Object.values(value).every(isWhole);
/** @param {any} m */
const isNamed = (m) => isText(m.sku) && isText(m.location) && isWhole(m.version);

/** @param {any} m */
function isLevel(m) {
  return isNamed(m) && isWhole(m.on_hand) && isWhole(m.reserved) && isWhole(m.available) && isWhole(m.seq);
}

/**
 * Whether a message has the shape that the protocol gives it, as far as this client decides by it or counts with it.
 *
 * @type {Record<string, (message: any) => boolean>}
 */
const SHAPES = {
  // @ts-expect-error no type of a message is a name that all objects have
  __proto__: null,
  level: isLevel,
  view: (m) => isNamed(m) && isText(m.availability) && isText(m.quantity),
  threshold: (m) =>
    isNamed(m) && isObject(m.when) && Object.freeze(m.when) && (m.raised === null || typeof m.raised === "boolean"),
  heartbeat: (m) => isSeq(m.seq) && isWhole(m.lag_ms),
  connected: (m) => isText(m.epoch) && m.heartbeat_s > 0 && m.heartbeat_s < HEARTBEAT_S_MAX,
  subscribed: (m) => isWhole(m.sub),
  snapshot: (m) =>
    isRows(m.levels, "level") && isRows(m.views, "view") && isRows(m.thresholds, "threshold") &&
    (m.position ? isText(m.position.epoch) && isSeq(m.position.seq) : !(m.last && m.levels)),
  unsubscribed: () => true,
  refreshed: () => true,
  error: (m) => isText(m.code),
  disconnect: (m) => isWhole(m.code) && isWhole(m.after_ms),
};

/**
 * @param {any} rows
 * @param {string} type
 */
const isRows = (rows, type) => !rows || rows.every((/** @type {any} */ row) => SHAPES[type]?.(row));

/**
 * The message, held as it was parsed: nothing is copied. Undefined for a type that this client does not know.
 * Throws Error for what is no message of the protocol.
 *
 * @param {string} text
 * @returns {Message | undefined}
 */
export function parse(text) {
  const message = JSON.parse(text), { type } = message;
  // Of nearly all messages, without a look into a table
  const isRight = type === "level" ? isLevel : SHAPES[type];
  if (!isRight) return undefined;
  if (!isRight(message)) throw new Error(type);
  return message;
}

/**
 * @param {number} id
 * @param {string | null | undefined} token  None of a visitor.
 */
export const connect = (id, token) => JSON.stringify({ type: "connect", id, token: token ?? undefined });

/**
 * @param {number} id
 * @param {string} location
 * @param {readonly string[] | null} skus
 * @param {Position | null | undefined} since
 * @param {Kind["asks"]} asks
 */
export const subscribe = (id, location, skus, since, asks) =>
  JSON.stringify({ type: "subscribe", id, location, skus: skus ?? undefined, since: since ?? undefined, ...asks });

/**
 * @param {number} id
 * @param {number} sub
 */
export const unsubscribe = (id, sub) => JSON.stringify({ type: "unsubscribe", id, sub });

/**
 * @param {number} id
 * @param {string} token
 */
export const refresh = (id, token) => JSON.stringify({ type: "refresh", id, token });

/**
 * A request of a type that no hub knows, and which it answers all the same (`error`, `unknown-type`): the cheapest
 * sign of life that can be asked for.
 *
 * @param {number} id
 */
export const probe = (id) => JSON.stringify({ type: "probe", id });
