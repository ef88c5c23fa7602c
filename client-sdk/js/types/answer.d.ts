/** What an HTTP answer means: a document, or the error of `errors.js` that its problem type names. Pure. */
import * as errors from "./errors.js";
import * as refusals from "./refusals.js";
export type Document = Readonly<Record<string, any>>;
export type Answer = {
    status: number;
    body: string;
    /**
     * The stored answer of an earlier request with the same key.
     */
    replayed?: boolean;
    /**
     * The header.
     */
    retryAfter?: string | null;
};
export type Make = (problem: Document, detail: string) => errors.StockwireError | undefined;
/**
 * The JSON object of an answer that says yes. Throws the StockwireError of one that says no.
 *
 * @param {Answer} answer
 * @returns {Document}
 */
export declare function read({ status, body, retryAfter }: Answer): Document;
/**
 * The error that a problem document states: the whole answer, or one result among those of many operations.
 *
 * @param {Document} problem
 * @param {number} status
 * @param {string | null} [retryAfter]
 * @returns {errors.StockwireError}
 */
export declare function errorOf(problem: Document, status: number, retryAfter?: string | null): errors.StockwireError;
/**
 * @param {string} message
 * @param {number} status
 */
export declare const unreadable: (message: string, status: number) => refusals.UnexpectedAnswer;
