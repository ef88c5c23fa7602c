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
import type { Kind } from "./kind.js";
import type { Watched } from "./level.js";
export type Position = {
    epoch: string;
    seq: Record<string, number>;
    selection?: string;
};
export type Connected = {
    type: "connected";
    id: number;
    node: string;
    epoch: string;
    heartbeat_s: number;
    expires_at: string | null;
    expires_in_s?: number | null;
};
export type Subscribed = {
    type: "subscribed";
    id: number;
    sub: number;
    recovered: boolean;
};
export type Part = {
    type: "snapshot";
    sub: number;
    levels?: Watched[];
    views?: Watched[];
    thresholds?: Watched[];
    last: boolean;
    position?: Position | null;
};
export type Refreshed = {
    type: "refreshed";
    id: number;
    expires_at: string | null;
    expires_in_s?: number | null;
};
export type Heartbeat = {
    type: "heartbeat";
    seq: Record<string, number>;
    fresh: boolean;
    lag_ms: number;
    sub?: number;
};
export type ErrorReply = {
    type: "error";
    id: number | null;
    code: string;
    message: string;
};
export type Disconnect = {
    type: "disconnect";
    code: number;
    reason: string;
    reconnect: boolean;
    after_ms: number;
};
export type Unsubscribed = {
    type: "unsubscribed";
    id: number;
    sub: number;
};
export type Told = Watched & {
    type: "level" | "view" | "threshold";
};
export type Message = Connected | Subscribed | Part | Refreshed | Heartbeat | ErrorReply | Disconnect | Unsubscribed | Told;
export declare const SUBPROTOCOL = "stockwire.v1";
/**
 * The message, held as it was parsed: nothing is copied. Undefined for a type that this client does not know.
 * Throws Error for what is no message of the protocol.
 *
 * @param {string} text
 * @returns {Message | undefined}
 */
export declare function parse(text: string): Message | undefined;
/**
 * @param {number} id
 * @param {string | null | undefined} token  None of a visitor.
 */
export declare const connect: (id: number, token: string | null | undefined) => string;
/**
 * @param {number} id
 * @param {string} location
 * @param {readonly string[] | null} skus
 * @param {Position | null | undefined} since
 * @param {Kind["asks"]} asks
 */
export declare const subscribe: (id: number, location: string, skus: readonly string[] | null, since: Position | null | undefined, asks: Kind["asks"]) => string;
/**
 * @param {number} id
 * @param {number} sub
 */
export declare const unsubscribe: (id: number, sub: number) => string;
/**
 * @param {number} id
 * @param {string} token
 */
export declare const refresh: (id: number, token: string) => string;
/**
 * A request of a type that no hub knows, and which it answers all the same (`error`, `unknown-type`): the cheapest
 * sign of life that can be asked for.
 *
 * @param {number} id
 */
export declare const probe: (id: number) => string;
