import type { Request } from "./made_socket.js";
/**
 * A hub's event streams in the place of a WebSocket: one for each subscription, with the same messages.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
export declare class Streaming extends MadeSocket {
    #private;
    hub: string;
    /** @param {string} hub  URL of its read port. */
    constructor(hub: string);
    /**
     * @override
     * @param {Request} request
     */
    take(request: Request): void;
    /** @param {number} sub */
    leave(sub: number): void;
    /**
     * It is watched no more, for good: coming back would change nothing.
     *
     * @param {number} id
     * @param {string} message
     * @param {string} [code]
     */
    refuse(id: number, message: string, code?: string): void;
    /** Whether a browser may keep one waiting, behind the others. */
    get isMany(): boolean;
    /**
     * Read this stream, until it is given up.
     *
     * @param {Request} _request
     * @param {string} _address
     * @param {AbortSignal} _givenUp
     */
    follow(_request: Request, _address: string, _givenUp: AbortSignal): void;
    /**
     * A stream knows its one subscription by a number of its own. Its heartbeats promise nothing about others.
     *
     * @param {number} id
     * @param {string} text
     */
    pass(id: number, text: string): void;
}
