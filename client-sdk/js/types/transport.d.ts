import type { Answer, Document } from "./answer.js";
export type Request = {
    /**
     * GET, or POST with a body.
     */
    method?: "GET" | "POST" | "PUT";
    /**
     * Begins with /v1, percent-encoded.
     */
    path: string;
    query?: Record<string, string | undefined>;
    body?: object;
    /**
     * The Idempotency-Key.
     */
    key?: string;
    /**
     * Although it has no key of its own.
     */
    writes?: boolean;
    signal?: AbortSignal | undefined;
};
export type TransportOptions = {
    /**
     * The ledger's.
     */
    url?: string;
    /**
     * An API key or a token.
     */
    getToken?: (how: {
        signal: AbortSignal;
    }) => string | Promise<string>;
    /**
     * The `traceparent` (W3C Trace Context) of what is sent now; each request
     * to the ledger asks for it.
     */
    trace?: () => string | undefined;
    fetch?: typeof globalThis.fetch;
    /**
     * Bounds one try; 10 by default.
     */
    timeout_s?: number;
    /**
     * After the first try; 5 by default.
     */
    maxRetries?: number;
    /**
     * No try begins later than that after the first; 30 by default.
     */
    retryFor_s?: number;
};
export declare class Transport {
    #private;
    url: string | undefined;
    getToken: ((how: {
        signal: AbortSignal;
    }) => string | Promise<string>) | undefined;
    trace: (() => string | undefined) | undefined;
    fetch: typeof fetch;
    timeout_ms: number;
    policy: {
        maxRetries: number;
        retryFor_s: number;
    };
    /** @type {Promise<string> | undefined} One that is being fetched, or works. */
    token: Promise<string> | undefined;
    /** @param {TransportOptions} options */
    constructor({ url, getToken, trace, fetch, timeout_s, maxRetries, retryFor_s }: TransportOptions);
    /**
     * What a successful answer says, after the retries that the policy allows.
     *
     * When `signal` ends it, what may have been written is OutcomeUnknown; else its reason is thrown.
     *
     * @template T
     * @param {Request} request
     * @param {(document: Document, answer: Answer) => T} parse
     * @returns {Promise<T>}
     */
    call<T>(request: Request, parse: (document: Document, answer: Answer) => T): Promise<T>;
    /**
     * Everything that is listed. The next page is fetched when the last one has been used up.
     *
     * @param {Request} request
     * @param {string} field
     * @param {string} [after]
     * @returns {AsyncGenerator<any, void, void>}
     */
    listing(request: Request, field: string, after?: string): AsyncGenerator<any, void, void>;
}
/**
 * The list `field` of an answer.
 *
 * @param {Document} document
 * @param {string} field
 * @param {number} status
 * @returns {any[]}
 */
export declare function listIn(document: Document, field: string, status: number): any[];
