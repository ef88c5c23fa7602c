import type { Feed } from "./feed.js";
import type { Link } from "./link.js";
import type { StockwireError } from "./errors.js";
import type { Watched } from "./level.js";
export type State = "connecting" | "live" | "stale" | "closed";
/** @template {Watched} [T=Watched] */
export declare class View<T extends Watched = Watched> {
    #private;
    /** @type {StockwireError | undefined} Why it is closed, if not by `close`; until it is live, why not, if that can be said. */
    error: StockwireError | undefined;
    /**
     * Made by `StockClient.watch` and its likes.
     *
     * @param {Link} link
     * @param {Feed} feed
     * @param {readonly string[] | null} skus
     */
    constructor(link: Link, feed: Feed, skus: readonly string[] | null);
    /** Resolves to the view at the first complete snapshot; rejects if it is closed before. */
    get ready(): Promise<View<T>>;
    /** @returns {State} */
    get state(): State;
    /** How long the newest change took to the hub; while stale: how long the hub has been behind. */
    get lag_ms(): number | undefined;
    /** `Date.now()` of when everything here was last known to be true; undefined: never yet. */
    get known_ms(): number | undefined;
    /**
     * @param {string} sku
     * @param {string} [location]  Where several are watched.
     * @returns {T | undefined}  Frozen. Undefined: not known, or not watched here.
     */
    get(sku: string, location?: string): T | undefined;
    /** All that is held. */
    values(): Generator<Readonly<T>, void, unknown>;
    /**
     * Call `listener` at once with everything that is held, then at most once in a frame with what changed, newest only;
     * with nothing when only the state did.
     *
     * @param {(view: View<T>, changed: readonly T[]) => void} listener
     * @returns {() => void}  Ends it.
     */
    subscribe(listener: (view: View<T>, changed: readonly T[]) => void): () => void;
    /** Each step gives what changed since the one before: of each sku the newest only, so a slow reader costs no memory. */
    [Symbol.asyncIterator](): AsyncGenerator<readonly T[], void, any>;
    /** Safe twice. What was watched lingers some seconds, for whoever watches it next. */
    close(): void;
    [Symbol.dispose](): void;
    /**
     * @internal
     * @param {StockwireError} [error]
     */
    end(error?: StockwireError): void;
    /**
     * @internal
     * @param {Watched | undefined} level  Undefined: gone.
     */
    note(level: Watched | undefined): void;
    /** @internal What may change its state has happened. */
    refresh(): void;
    /** @internal Tell the listeners what has changed. */
    tell(): void;
}
