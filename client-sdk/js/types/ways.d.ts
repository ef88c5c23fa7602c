import type { Hub } from "./hubs.js";
import type { Link, Socket } from "./link.js";
import type { Storage } from "./storage.js";
export declare class Ways {
    #private;
    given: {
        nextHub: () => Promise<Hub>;
        name: string;
        fetch: typeof globalThis.fetch;
        WebSocket: new (url: string, protocols: string | string[]) => Socket;
        storage: Storage | undefined;
        share: boolean | string | undefined;
    };
    /**
     * @param {object} given
     * @param {() => Promise<Hub>} given.nextHub
     * @param {string} given.name  Of where they were asked for.
     * @param {typeof globalThis.fetch} given.fetch
     * @param {new (url: string, protocols: string | string[]) => Socket} given.WebSocket
     * @param {Storage | undefined} given.storage
     * @param {boolean | string | undefined} given.share
     */
    constructor(given: {
        nextHub: () => Promise<Hub>;
        name: string;
        fetch: typeof globalThis.fetch;
        WebSocket: new (url: string, protocols: string | string[]) => Socket;
        storage: Storage | undefined;
        share: boolean | string | undefined;
    });
    /**
     * @param {Link} link
     * @returns {Promise<[Socket, string | null | undefined]>}  With the token to say.
     */
    open(link: Link): Promise<[Socket, string | null | undefined]>;
    save(): void;
    close(): void;
}
