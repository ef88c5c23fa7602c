import type { Request } from "./made_socket.js";
import { Streaming } from "./streaming.js";
export declare class EventStream extends Streaming {
    #private;
    /**
     * @param {string} hub  URL of its read port.
     * @param {typeof globalThis.fetch} fetch
     */
    constructor(hub: string, fetch: typeof globalThis.fetch);
    /**
     * @override
     * @param {Request} request
     */
    take(request: Request): void;
    /**
     * @override
     * @param {Request} request
     * @param {string} address
     * @param {AbortSignal} signal
     */
    follow({ id, since }: Request, address: string, signal: AbortSignal): Promise<void>;
}
