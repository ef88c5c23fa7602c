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
 * @typedef {{ type: "heartbeat", seq: Record<string, number>, fresh: boolean, lag_ms: number }} Heartbeat
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
const isFlag = (value) => typeof value === "boolean";
/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** @param {any} value */
const isNone = (value) => value === undefined || value === null;
/** @param {any} value */
const isSeq = (value) => isObject(value) && Object.values(value).every(isWhole);
/** @param {any} value */
const isPosition = (value) =>
  isObject(value) && isText(value.epoch) && isSeq(value.seq) && (isNone(value.selection) || isText(value.selection));
/** @param {any} m */
const isExpiry = (m) =>
  (isNone(m.expires_at) || isText(m.expires_at)) && (isNone(m.expires_in_s) || m.expires_in_s >= 0);
/** @param {any} m */
const isNamed = (m) => isText(m.sku) && isText(m.location) && isWhole(m.version);

/** @type {Record<string, (message: any) => boolean>} Whether a message has the shape that the protocol gives it. */
const SHAPES = {
  level: (m) =>
    isNamed(m) && isWhole(m.on_hand) && isWhole(m.reserved) && isWhole(m.available) && isWhole(m.shard) &&
    isWhole(m.seq) && (m.kind === null || isText(m.kind)) && (m.committed_at === null || isText(m.committed_at)),
  view: (m) => isNamed(m) && isText(m.availability) && isText(m.quantity),
  threshold: (m) =>
    isNamed(m) && isObject(m.when) && (m.raised === null || isFlag(m.raised)) &&
    (isNone(m.available) || isWhole(m.available)),
  heartbeat: (m) => isSeq(m.seq) && isFlag(m.fresh) && isWhole(m.lag_ms),
  connected: (m) =>
    isWhole(m.id) && isText(m.node) && isText(m.epoch) && m.heartbeat_s > 0 && m.heartbeat_s < HEARTBEAT_S_MAX &&
    isExpiry(m),
  subscribed: (m) => isWhole(m.id) && isWhole(m.sub) && isFlag(m.recovered),
  snapshot: (m) =>
    isWhole(m.sub) &&
    /** @type {const} */ (["level", "view", "threshold"]).every((type) => isPart(m[`${type}s`], type)) &&
    (isNone(m.position) ? !(m.last && m.levels) : isPosition(m.position)),
  unsubscribed: (m) => isWhole(m.id) && isWhole(m.sub),
  refreshed: (m) => isWhole(m.id) && isExpiry(m),
  error: (m) => (m.id === null || isWhole(m.id)) && isText(m.code) && isText(m.message),
  disconnect: (m) => isWhole(m.code) && isText(m.reason) && isFlag(m.reconnect) && isWhole(m.after_ms),
};

/**
 * @param {any} rows
 * @param {string} type
 */
function isPart(rows, type) {
  if (isNone(rows)) return true;
  if (!Array.isArray(rows)) return false;
  const isRight = /** @type {(row: any) => boolean} */ (SHAPES[type]);
  return rows.every((row) => isObject(row) && isRight(row) && Object.freeze(row));
}

/**
 * The message, held as it was parsed: nothing is copied. Undefined for a type that this client does not know.
 * Throws Error for what is no message of the protocol.
 *
 * @param {string} text
 * @returns {Message | undefined}
 */
export function parse(text) {
  const message = JSON.parse(text);
  if (!isObject(message) || !isText(message.type)) throw new Error("no object with a type");
  if (!Object.hasOwn(SHAPES, message.type)) return undefined;
  if (!SHAPES[message.type]?.(message)) throw new Error(`${message.type} of another shape`);
  return Object.freeze(message);
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
