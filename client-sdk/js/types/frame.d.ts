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
/** @param {any} value */
export declare const isText: (value: any) => value is string;
export declare const isWhole: (number: unknown) => boolean;
/** @param {any} value */
export declare const isObject: (value: any) => boolean;
/**
 * The message, held as it was parsed: nothing is copied. Throws Error for what is no message of the protocol.
 *
 * @param {string} text
 * @returns {Message}
 */
export declare function parse(text: string): Message;
/**
 * What a part of a snapshot has of a kind; undefined if it is of another, or not as the protocol has it.
 *
 * @param {Part} part
 * @param {Kind} kind
 */
export declare function rowsOf(part: Part, kind: Kind): Watched[] | undefined;
/**
 * What is undefined is left out.
 *
 * @param {string} type  `connect`, `subscribe`, `unsubscribe` or `refresh`; one that no hub knows is answered all the same
 *   (`error`, `unknown-type`): the cheapest sign of life that can be asked for.
 * @param {number} id
 * @param {object} [members]
 */
export declare const request: (type: string, id: number, members?: object) => string;
