import type { Link, Socket } from "./link.js";
import type { Kept } from "./storage.js";
export type Means = {
    /**
     * A WebSocket to the hub.
     */
    plain: () => Socket;
    fetch: typeof globalThis.fetch;
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
 * @param {string | null | undefined} read  The hub's read port, if there is one.
 * @param {Means} means
 * @returns {Promise<Socket>}
 */
export declare function reach(link: Link, read: string | null | undefined, { plain, fetch, kept, streams, polling }: Means): Promise<Socket>;
