export type Hub = {
    stream: string;
    read?: string | null;
};
export declare class Hubs {
    #private;
    discover: () => Promise<Hub[]>;
    /** @param {() => Promise<Hub[]>} discover */
    constructor(discover: () => Promise<Hub[]>);
    /** @returns {Promise<Hub>} Rejects with StockwireError. */
    next(): Promise<Hub>;
}
/**
 * @param {{ url?: string, hub?: string, hubs?: readonly string[], fetch: typeof globalThis.fetch }} options
 * @returns {() => Promise<Hub[]>}
 */
export declare function discovery({ url, hub, hubs, fetch }: {
    url?: string;
    hub?: string;
    hubs?: readonly string[];
    fetch: typeof globalThis.fetch;
}): () => Promise<Hub[]>;
