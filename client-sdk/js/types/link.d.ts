import type { StockwireError } from "./errors.js";
import type { State, View } from "./view.js";
import type { Tokens } from "./tokens.js";
export type Socket = {
    send: (text: string) => void;
    close: (code?: number) => void;
    onopen: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
    /**
     * It cannot ask the hub for a sign of life.
     */
    isMute?: boolean;
};
export type GetToken = (options: {
    signal: AbortSignal;
}) => string | Promise<string>;
import { Reconnect } from "./reconnect.js";
import { Session } from "./session.js";
export declare class Link {
    #private;
    open: (link: Link) => Promise<[Socket, string | undefined]>;
    getToken: GetToken | undefined;
    reconnect: Reconnect;
    session: Session;
    /** @type {Set<View<any>>} */
    views: Set<View<any>>;
    /** @type {Set<View<any>>} Those with something to tell. */
    touched: Set<View<any>>;
    /** @type {Set<() => void>} */
    listeners: Set<() => void>;
    /** @type {any} Why it is closed; until it is live, why not, if that can be said. */
    error: any;
    /** @type {Tokens | undefined} There from the first connection on, if the application gives any. */
    tokens: Tokens | undefined;
    isClosed: boolean;
    /** When the hub said something last, and when it did while it had everything. */
    heard_ms: number;
    fresh_ms: number;
    /** @type {((text: string) => void) | undefined} Hears what the hub says, after it is held. */
    tap: ((text: string) => void) | undefined;
    /** @type {(() => void) | undefined} */
    slept: (() => void) | undefined;
    /** @type {number | undefined} When what was held before a reload was known to be true. */
    stored_ms: number | undefined;
    /** Nobody looks: the connection was let go, and comes back with `wake`. */
    isAsleep: boolean;
    /** How often in a row a connection ended before the hub spoke; why, a browser does not say. */
    failed: number;
    /** How often in a row the hub had no place. */
    crowded: number;
    /** Tell everybody what has changed, once in a frame. */
    tellSoon: () => void;
    /**
     * @param {object} options
     * @param {(link: Link) => Promise<[Socket, string | undefined]>} options.open  With the token to say.
     * @param {Session["tidy"]} options.tidy
     * @param {GetToken} [options.getToken]
     */
    constructor({ open, tidy, getToken }: {
        open: (link: Link) => Promise<[Socket, string | undefined]>;
        tidy: Session["tidy"];
        getToken?: GetToken;
    });
    /** @returns {State} */
    get state(): State;
    get isSilent(): boolean;
    /** What is wanted has changed: all that does so in one tick is one subscription. */
    wanted(): void;
    /** Nobody looks any more. What is held stays, and is resumed from where it was. */
    sleep(): void;
    /** Somebody looks, or the network is back. */
    wake(): void;
    /** @param {StockwireError} [error] */
    close(error?: StockwireError): void;
    /** Something may have happened to the connection while nobody looked: judge it by the clock, and ask the hub. */
    probe(): undefined;
    /** What the session has to say. */
    send(): void;
}
