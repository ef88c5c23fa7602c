import type { Answer, Document } from "./answer.js";
import type { OperationResult } from "./operation.js";
/**
 * @import { Answer, Document } from "./answer.js"
 * @import { OperationResult } from "./operation.js"
 */
/**
 * @param {Document} document
 * @param {Answer} answer
 * @param {string} key
 * @returns {OperationResult}
 */
export declare function resultOf({ operation, events, levels }: Document, { status, replayed }: Answer, key: string): OperationResult;
/**
 * What the call is about, beside what it did.
 *
 * @param {Document} document
 * @param {string} what
 * @param {Answer} answer
 * @param {string} key
 */
export declare function changed(document: Document, what: string, answer: Answer, key: string): any;
