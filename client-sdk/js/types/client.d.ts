import type { Availability, Level, Threshold } from "./level.js";
import type { GetToken, Socket } from "./link.js";
import type { State } from "./view.js";
import type { Storage } from "./storage.js";
export type ClientOptions = {
    /**
     * The ledger's. Hubs are found by asking it.
     */
    url?: string;
    /**
     * Or a hub's read port, for a page that knows nothing else.
     */
    hub?: string;
    /**
     * Or the URLs of the streams themselves.
     */
    hubs?: readonly string[];
    /**
     * Gives an API key or a token for each connection; absent: a visitor, who may watch
     * `{view: "public"}` only.
     */
    getToken?: GetToken;
    /**
     * Such as `sessionStorage`: a reload goes on from what is held. Whoever reads it reads levels.
     */
    storage?: Storage;
    /**
     * One connection for all tabs that have the same `url` and `share`: give tabs whose
     * tokens allow other things another text.
     */
    share?: boolean | string;
    /**
     * How long a page that nobody looks at keeps its connection. 5 minutes.
     */
    hiddenFor_ms?: number;
    fetch?: typeof globalThis.fetch;
    WebSocket?: new (url: string, protocols: string | string[]) => Socket;
};
export type WatchOptions = {
    view?: "public";
};
export type ThresholdOptions = {
    atMost?: number;
    atLeast?: number;
    until?: number;
    view?: "public";
};
import { View } from "./view.js";
export declare class StockClient {
    #private;
    /** @param {ClientOptions} options */
    constructor(options: ClientOptions);
    /** @returns {State} Of the connection. It is opened when something is watched. */
    get state(): State;
    /** Why it is closed; until it is live, why the last try failed, as far as that is known. */
    get error(): any;
    /**
     * @param {(state: State) => void} listener
     * @returns {() => void}  Ends it.
     */
    onState(listener: (state: State) => void): () => void;
    /**
     * Follow levels; with `view: "public"` what the public sees of them. Many watchers are one connection, and those of
     * one tick one subscription.
     *
     * @template {WatchOptions} [O={}]
     * @param {string} location  Or `*` for all of them.
     * @param {Iterable<string> | null} [skus]  Null: every one there.
     * @param {O} [options]
     * @returns {View<O extends { view: "public" } ? Availability : Level>}
     */
    watch<O extends WatchOptions = {}>(location: string, skus?: Iterable<string> | null, options?: O): View<O extends {
        view: "public";
    } ? Availability : Level>;
    /**
     * Follow the crossings of a threshold: raised at so many available units or fewer (`atMost`) or more (`atLeast`),
     * lowered again at `until`.
     *
     * @param {string} location
     * @param {Iterable<string> | null} skus
     * @param {ThresholdOptions} options
     * @returns {View<Threshold>}
     */
    watchThreshold(location: string, skus: Iterable<string> | null, options: ThresholdOptions): View<Threshold>;
    /** For good. No socket and no timer is left when it returns; all views are closed. */
    close(): void;
    [Symbol.dispose](): void;
}
