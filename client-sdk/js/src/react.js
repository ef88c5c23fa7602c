"use client";
/**
 * Stock in React, by `useSyncExternalStore`. Something is watched from when a component is there until it is gone: 200
 * cards that mount together are one subscription, and StrictMode, which mounts twice, leaves nothing behind.
 *
 * On a server nothing is watched: what is rendered there, and first in the browser, is `initial`, so both agree.
 */
import { createContext, createElement, useContext, useMemo, useSyncExternalStore } from "react";

import { ConfigurationError } from "./errors.js";

/**
 * @import { FunctionComponentElement, ProviderProps, ReactNode } from "react"
 * @import { StockClient, WatchOptions } from "./client.js"
 * @import { Availability, Level } from "./level.js"
 * @import { State, View } from "./view.js"
 */

/**
 * @template {WatchOptions} O
 * @typedef {O extends { view: "public" } ? Availability : Level} Seen  What is watched with such options.
 */

/** @type {import("react").Context<StockClient | undefined>} */
const Client = createContext(/** @type {StockClient | undefined} */ (undefined));
/** @type {ReadonlyMap<string, any>} */
const NOTHING = new Map();

/**
 * Gives `client` to all that is inside. It is the application's: made once, outside of components or in a state.
 *
 * @param {{ client: StockClient, children?: ReactNode }} props
 * @returns {FunctionComponentElement<ProviderProps<StockClient | undefined>>}
 */
export const StockProvider = ({ client, children }) => createElement(Client.Provider, { value: client }, children);

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
export function useStock(location, sku, options) {
  const { view, initial } = options ?? {};
  const client = useClient();
  const store = useMemo(() => {
    /** @type {View<any> | undefined} */
    let watched;
    let isKnown = false; // then what was known at first is old
    const get = () => {
      const held = watched?.get(sku, location);
      isKnown ||= held !== undefined || watched?.state === "live";
      return held ?? (isKnown ? undefined : initial);
    };
    return {
      subscribe: watching(() => (watched = client.watch(location, [sku], { view }))),
      get,
      atFirst: () => initial,
    };
  }, [client, location, sku, view]);
  return useSyncExternalStore(store.subscribe, store.get, store.atFirst);
}

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
export function useStocks(location, skus, options) {
  const view = options?.view;
  const client = useClient();
  const store = useMemo(() => {
    let levels = NOTHING;
    return {
      subscribe: watching(
        () => (skus?.length === 0 ? undefined : client.watch(location, skus, { view })),
        (watched, changed) => {
          const held = [...watched.values()];
          // Of what has gone nothing is told but that something has
          if (changed.length || held.length !== levels.size) levels = new Map(held.map((level) => [level.sku, level]));
        },
      ),
      get: () => levels,
    };
  }, [client, location, JSON.stringify(skus), view]); // a list is often written where it is given: a new one each time
  return useSyncExternalStore(store.subscribe, store.get, () => NOTHING);
}

/**
 * How the connection stands: `connecting`, `live`, `stale` or `closed`.
 *
 * @returns {State}
 */
export function useStockState() {
  const client = useClient();
  const subscribe = useMemo(() => client.onState.bind(client), [client]);
  return useSyncExternalStore(subscribe, () => client.state, () => "connecting");
}

/** @returns {StockClient} */
function useClient() {
  const client = useContext(Client);
  if (!client) throw new ConfigurationError("there is no <StockProvider client={...}> around this");
  return client;
}

/**
 * For `useSyncExternalStore`: watches while somebody listens. `note` comes before React looks.
 *
 * @param {() => View<any> | undefined} watch  Undefined: there is nothing to watch.
 * @param {(view: View<any>, changed: readonly any[]) => void} [note]
 * @returns {(listener: () => void) => () => void}
 */
const watching = (watch, note) => (listener) => {
  const view = watch();
  const end = view?.subscribe((_, changed) => {
    note?.(view, changed);
    listener();
  });
  return () => {
    end?.();
    view?.close();
  };
};
