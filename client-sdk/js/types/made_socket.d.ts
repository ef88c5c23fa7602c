/**
 * What acts as a WebSocket to a hub and is none: requests in, messages out, the same as on the stream.
 *
 * @import { Socket } from "./link.js"
 *
 * @typedef {{ type: string, id: number, token?: string, location: string, skus?: string[], since?: object,
 *   view?: "public", when?: import("./kind.js").When, sub: number }} Request
 */
import type { Socket } from "./link.js";
export type Request = {
    type: string;
    id: number;
    token?: string;
    location: string;
    skus?: string[];
    since?: object;
    view?: "public";
    when?: import("./kind.js").When;
    sub: number;
};
/** @implements {Socket} */
export declare class MadeSocket implements Socket {
    /** @type {Socket["onmessage"]} */
    onmessage: Socket["onmessage"];
    /** @type {Socket["onclose"]} */
    onclose: Socket["onclose"];
    isMute: boolean;
    isOver: boolean;
    /** Ends whatever is under way when this is over. */
    over: AbortController;
    /** It is open as soon as somebody hears of it. */
    set onopen(/** @type {Socket["onopen"]} */ opened: Socket["onopen"]);
    /** @param {string} text */
    send(text: string): void;
    /** @param {Request} _request */
    take(_request: Request): void;
    /** @param {object} message */
    say(message: object): void;
    /** @param {string} text */
    tell(text: string): void;
    /**
     * @param {number | null} code
     * @param {string} [reason]  Why, if that is of use to anybody.
     */
    end(code: number | null, reason?: string): void;
    close(): void;
}
