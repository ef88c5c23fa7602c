export type Hub = {
    stream: string;
    read?: string | null;
};
/**
 * @param {string} from  URL of the ledger, or of a hub's read port.
 * @param {typeof globalThis.fetch} fetch
 */
export declare const discovery: (from: string, fetch: typeof globalThis.fetch) => Promise<Response>;
/**
 * Whom a ledger or a hub names.
 *
 * @param {string} from  URL of the ledger, or of a hub's read port.
 * @param {typeof globalThis.fetch} fetch
 * @returns {Promise<Hub[]>}  Rejects with StockwireError.
 */
export declare function discovered(from: string, fetch: typeof globalThis.fetch): Promise<Hub[]>;
/**
 * Behind one address for both, which is what a page that names streams only has.
 *
 * @param {string} stream
 * @returns {Hub}
 */
export declare const hubOf: (stream: string) => Hub;
/**
 * @param {() => Promise<Hub[]>} discover
 * @returns {() => Promise<Hub>}  Rejects with StockwireError.
 */
export declare function hubsInTurn(discover: () => Promise<Hub[]>): () => Promise<Hub>;
