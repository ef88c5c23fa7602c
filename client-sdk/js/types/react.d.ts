import type { FunctionComponentElement, ProviderProps, ReactNode } from "react";
import type { StockClient, WatchOptions } from "./client.js";
import type { Availability, Level } from "./level.js";
import type { State } from "./view.js";
export type Seen<O extends WatchOptions> = O extends {
    view: "public";
} ? Availability : Level;
/**
 * Gives `client` to all that is inside. It is the application's: made once, outside of components or in a state.
 *
 * @param {{ client: StockClient, children?: ReactNode }} props
 * @returns {FunctionComponentElement<ProviderProps<StockClient | undefined>>}
 */
export declare const StockProvider: ({ client, children }: {
    client: StockClient;
    children?: ReactNode;
}) => FunctionComponentElement<ProviderProps<StockClient | undefined>>;
/**
 * The newest that is known of one level: undefined, or `options.initial`, until something is. Frozen, and the same object
 * as long as nothing has changed.
 *
 * @template {WatchOptions} [O={}]
 * @param {string} location
 * @param {string} sku
 * @param {O & { initial?: Seen<O> | undefined }} [options]
 * @returns {Seen<O> | undefined}
 */
export declare function useStock<O extends WatchOptions = {}>(location: string, sku: string, options?: O & {
    initial?: Seen<O> | undefined;
}): Seen<O> | undefined;
/**
 * The newest that is known of several levels of a location, by sku; `skus` null: of all there. A new map when something
 * has changed, at most once in a frame.
 *
 * @template {WatchOptions} [O={}]
 * @param {string} location
 * @param {readonly string[] | null} skus
 * @param {O} [options]
 * @returns {ReadonlyMap<string, Seen<O>>}
 */
export declare function useStocks<O extends WatchOptions = {}>(location: string, skus: readonly string[] | null, options?: O): ReadonlyMap<string, Seen<O>>;
/**
 * How the connection stands: `connecting`, `live`, `stale` or `closed`.
 *
 * @returns {State}
 */
export declare function useStockState(): State;
