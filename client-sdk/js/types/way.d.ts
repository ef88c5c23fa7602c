import type { Hub } from "./hubs.js";
import type { Link, Socket } from "./link.js";
import type { Kept } from "./storage.js";
export type Means = {
    fetch: typeof globalThis.fetch;
    WebSocket: new (url: string, protocols: string | string[]) => Socket;
    kept?: Kept | undefined;
    /**
     * Gives what reads event streams.
     */
    streams: () => Promise<OfRead>;
    /**
     * Gives what asks now and then.
     */
    polling: () => Promise<OfRead>;
};
export type OfRead = new (read: string, fetch: typeof globalThis.fetch, epoch: string) => Socket;
/**
 * @param {Link} link
 * @param {Hub} hub
 * @param {Means} means
 * @returns {Promise<Socket>}
 */
export declare function reach(link: Link, { stream, read }: Hub, { fetch, WebSocket, kept, streams, polling }: Means): Promise<Socket>;
