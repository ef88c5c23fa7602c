/** What a committed operation says it did. */
import { unreadable } from "./answer.js";
import { listIn } from "./transport.js";

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
export function resultOf({ operation, events, levels }, { status, replayed }, key) {
  return Object.freeze({
    operation,
    events: listIn({ events }, "events", status),
    levels: listIn({ levels }, "levels", status),
    key,
    replayed: !!replayed,
  });
}

/**
 * What the call is about, beside what it did.
 *
 * @param {Document} document
 * @param {string} what
 * @param {Answer} answer
 * @param {string} key
 */
export function changed(document, what, answer, key) {
  const thing = document[what];
  if (!Array.isArray(thing?.lines)) throw unreadable(`the answer cannot be read: no ${what}`, answer.status);
  return Object.freeze({ ...thing, result: resultOf(document, answer, key) });
}
