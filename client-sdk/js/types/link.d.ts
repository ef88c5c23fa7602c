import type { Hub } from "./hubs.js";
import type { StockwireError } from "./errors.js";
import type { State, View } from "./view.js";
export type Socket = {
    send: (text: string) => void;
    close: (code?: number) => void;
    onopen: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
};
export type GetToken = (options: {
    signal: AbortSignal;
}) => string | Promise<string>;
import { Reconnect } from "./reconnect.js";
import { Session } from "./session.js";
export declare class Link {
    #private;
    nextHub: () => Promise<Hub>;
    open: (hub: Hub) => Socket;
    getToken: GetToken | undefined;
    reconnect: Reconnect;
    session: Session;
    /** @type {Set<View<any>>} */
    views: Set<View<any>>;
    /** @type {Set<View<any>>} Those with something to tell. */
    touched: Set<View<any>>;
    /** @type {Set<() => void>} */
    listeners: Set<() => void>;
    /** @type {StockwireError | undefined} */
    error: StockwireError | undefined;
    isClosed: boolean;
    /** When the hub said something last. */
    heard_ms: number;
    /**
     * @param {object} options
     * @param {() => Promise<Hub>} options.nextHub
     * @param {(hub: Hub) => Socket} options.open
     * @param {GetToken} [options.getToken]
     */
    constructor({ nextHub, open, getToken }: {
        nextHub: () => Promise<Hub>;
        open: (hub: Hub) => Socket;
        getToken?: GetToken;
    });
    /** @returns {State} */
    get state(): State;
    get isSilent(): boolean;
    /** What is wanted has changed: all that does so in one tick is one subscription. */
    wanted(): void;
    /** @param {StockwireError} [error] */
    close(error?: StockwireError): void;
    /** Something may have happened to the connection while nobody looked: judge it by the clock, and ask the hub. */
    probe(): undefined;
}
