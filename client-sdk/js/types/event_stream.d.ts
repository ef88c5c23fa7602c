import type { Request } from "./made_socket.js";
/**
 * The stream where WebSockets are blocked: each subscription is an event stream, read by `fetch`, since an EventSource
 * can send no key. The same messages, the same positions.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
export declare class EventStream extends MadeSocket {
    #private;
    /**
     * @param {string} read  URL of the hub's read port.
     * @param {typeof globalThis.fetch} fetch
     */
    constructor(read: string, fetch: typeof globalThis.fetch);
    /**
     * @override
     * @param {Request} request
     */
    take(request: Request): void;
}
/**
 * Whether the hub answers at all, be it that there is no such page.
 *
 * @param {string} read
 * @param {typeof globalThis.fetch} fetch
 */
export declare const isThere: (read: string, fetch: typeof globalThis.fetch) => Promise<boolean>;
