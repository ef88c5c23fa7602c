import type { Link } from "./link.js";
export type Post = {
    from?: string;
    to?: string;
    text?: string;
    leads?: boolean;
};
import { MadeSocket } from "./made_socket.js";
export declare class Tabs {
    #private;
    /**
     * @param {Link} link
     * @param {string} name  Of all that may share a connection.
     */
    constructor(link: Link, name: string);
    /** The way to the tab that leads, or undefined if this one does. */
    socket(): Promise<TabSocket | undefined>;
    /** Nobody looks at this tab any more: let another lead. */
    rest(): void;
    close(): void;
}
/** To the tab that leads. While it is open it holds a lock, by which the other knows that it lives. */
declare class TabSocket extends MadeSocket {
    #private;
    id: string;
    /** @type {string[] | undefined} Said before the lock was there. */
    early: string[] | undefined;
    /**
     * @param {BroadcastChannel} channel
     * @param {string} name
     */
    constructor(channel: BroadcastChannel, name: string);
    /**
     * @override
     * @param {string} text
     */
    send(text: string): void;
}
export {};
