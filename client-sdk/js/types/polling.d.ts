import type { Request } from "./made_socket.js";
/**
 * For a visitor for whom the hub has no place: what the public sees, from the reads that caches keep. It is never said
 * to be fresh, and after a while the stream is tried again.
 *
 * @import { Request } from "./made_socket.js"
 */
import { MadeSocket } from "./made_socket.js";
export declare class Polling extends MadeSocket {
    #private;
    /**
     * @param {string} hub  URL of its read port.
     * @param {typeof globalThis.fetch} fetch
     * @param {string} epoch  The answers do not name it: that of what is held.
     */
    constructor(hub: string, fetch: typeof globalThis.fetch, epoch: string);
    /**
     * @override
     * @param {Request} request
     */
    take(request: Request): void;
}
