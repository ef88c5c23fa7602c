import type { ClientOptions } from "./client.js";
import type { Link, Socket } from "./link.js";
/** @param {ClientOptions} options */
export declare function waysOf({ url, hub, hubs, getToken, storage, share, ...given }: ClientOptions): {
    open: (link: Link) => Promise<[Socket, string | undefined]>;
    save: () => void | undefined;
    close: () => undefined;
};
