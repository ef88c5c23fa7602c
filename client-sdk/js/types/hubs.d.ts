export type Hub = {
    stream: string;
    read?: string | null;
};
/**
 * @param {{ url?: string, hub?: string, hubs?: readonly string[], fetch: typeof globalThis.fetch }} options
 * @returns {() => Promise<Hub>}  Rejects with StockwireError.
 */
export declare function hubsInTurn({ url, hub, hubs: streams, fetch }: {
    url?: string;
    hub?: string;
    hubs?: readonly string[];
    fetch: typeof globalThis.fetch;
}): () => Promise<Hub>;
