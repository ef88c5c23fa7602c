/** What an HTTP answer means: a document, or the error of `errors.js` that its problem type names. Pure. */
import * as errors from "./errors.js";
import * as refusals from "./refusals.js";

/**
 * @typedef {Readonly<Record<string, any>>} Document  A JSON object, frozen through and through.
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} body
 * @property {boolean} [replayed]  The stored answer of an earlier request with the same key.
 * @property {string | null} [retryAfter]  The header.
 */

/** @typedef {(problem: Document, detail: string) => errors.StockwireError | undefined} Make  Undefined: unreadable. */

const NUMBERS = /^(requested|available|allowed|held|on_hand|reserved|quantity|possible|(expected_)?version)$/;
const LEVEL = "sku location version on_hand reserved available";

/** @type {Record<string, Make>} */
const BY_TYPE = {
  invalid: ({ field, reason }, detail) => invalid(errors.Invalid, String(field ?? "request"), String(reason || detail)),
  "idempotency-mismatch": (_, detail) => invalid(refusals.IdempotencyMismatch, "Idempotency-Key", detail),
  "unsupported-encoding": ({ header }, detail) => invalid(errors.Invalid, String(header ?? "body"), detail),
  "too-large": tooLarge,
  unauthorized: carrying(errors.Unauthorized),
  forbidden: ({ scope }, detail) => new errors.Forbidden(detail, { scope }),
  "not-found": notFound,
  "insufficient-stock": carrying(refusals.OutOfStock, "sku location requested available", "locations"),
  "version-conflict": carrying(refusals.VersionConflict, "expected_version level"),
  "below-reserved": carrying(refusals.BelowReserved, "sku location on_hand reserved"),
  "reservation-state": carrying(
    refusals.ReservationState, "reservation state asked reason", "sku location quantity possible",
  ),
  "reservation-expired": carrying(
    refusals.ReservationExpired, "reservation expires_at", "sku location available requested",
  ),
  "reservation-limit": carrying(refusals.HoldLimit, "limit allowed held requested", "customer owner sku location"),
  "transfer-state": carrying(refusals.TransferState, "transfer state asked reason", "sku quantity possible"),
  "idempotency-in-flight": carrying(refusals.InFlight),
  "rate-limited": carrying(refusals.RateLimited),
  crowded: carrying(refusals.RateLimited),
  misdirected: carrying(errors.ConfigurationError),
  "not-configured": carrying(errors.ConfigurationError),
  overloaded: carrying(refusals.Overloaded),
  "outcome-unknown": carrying(refusals.OutcomeUnknown),
  unavailable: carrying(errors.Unavailable),
};

/**
 * The JSON object of an answer that says yes. Throws the StockwireError of one that says no.
 *
 * @param {Answer} answer
 * @returns {Document}
 */
export function read({ status, body, retryAfter }) {
  const document = parsed(body);
  if (status < 200 || status >= 300) throw errorOf(document ?? {}, status, retryAfter);
  if (!document) throw unreadable(`status ${status} without a JSON object: is this a ledger?`, status);
  return document;
}

/**
 * The error that a problem document states: the whole answer, or one result among those of many operations.
 *
 * @param {Document} problem
 * @param {number} status
 * @param {string | null} [retryAfter]
 * @returns {errors.StockwireError}
 */
export function errorOf(problem, status, retryAfter) {
  const type = String(problem.type), detail = String(problem.detail || problem.title || type);
  const error = Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type]?.(problem, detail) : byStatus(problem, detail, status);
  if (error instanceof errors.Later) error.retry_after_s = retryAfter_s(retryAfter, problem);
  return error ?? unreadable("a problem document that cannot be read", status);
}

/**
 * @param {string} message
 * @param {number} status
 */
export const unreadable = (message, status) => new refusals.UnexpectedAnswer(message, { status });

/**
 * Errors that carry what the document says, under the same names; a level is the `current` one.
 *
 * @param {new (message: string, fields: any) => errors.StockwireError} made
 * @param {string} [needed]
 * @param {string} [may]
 * @returns {Make}
 */
function carrying(made, needed = "", may = "") {
  return (problem, detail) => {
    /** @type {Record<string, unknown>} */
    const fields = {};
    for (const member of words(`${needed} ${may}`)) {
      const value = problem[member] ?? undefined;
      if (value === undefined ? words(needed).includes(member) : !isReadable(member, value)) return undefined;
      fields[member === "level" ? "current" : member] = value;
    }
    return new made(detail, fields);
  };
}

/**
 * @param {string} list
 * @returns {string[]}
 */
const words = (list) => list.match(/\w+/g) ?? [];

/**
 * @param {string} member
 * @param {any} value
 * @returns {boolean}
 */
function isReadable(member, value) {
  if (NUMBERS.test(member)) return Number.isInteger(value);
  if (member === "level") return words(LEVEL).every((name) => isReadable(name, value[name]));
  if (member === "locations") return Object(value) === value && Object.values(value).every(Number.isInteger);
  return typeof value === "string";
}

/**
 * A type of a later ledger, or something between us and it has answered (a proxy): the status alone says.
 *
 * @param {Document} problem
 * @param {string} detail
 * @param {number} status
 */
function byStatus(problem, detail, status) {
  const message = `status ${status} without a known problem type`;
  if (status === 429) return new refusals.RateLimited(message);
  // A gateway that gave up waiting does not know what the ledger did: never "nothing was written"
  if ([502, 503, 504].includes(status)) return new refusals.OutcomeUnknown(message);
  if (status === 401) return new errors.Unauthorized(message);
  if (status === 403) return new errors.Forbidden(message);
  if (status === 413) return tooLarge({});
  // Not a ledger's: a wrong URL has a 404 too
  if ([undefined, null, "about:blank"].includes(problem.type)) return unreadable(message, status);
  if (status === 409 || status === 412) return new refusals.Refused(detail);
  if (status === 404) return notFound(problem, detail);
  return status === 400 || status === 422 ? BY_TYPE.invalid?.(problem, detail) : unreadable(detail, status);
}

/**
 * @param {new (message: string, fields: { field: string, reason: string }) => errors.Invalid} made
 * @param {string} field
 * @param {string} reason
 */
const invalid = (made, field, reason) => new made(`${field}: ${reason}`, { field, reason });

/** @param {Document} problem */
function tooLarge({ bytes_max = undefined }) {
  const reason = bytes_max ? `at most ${bytes_max} bytes are taken` : "larger than is taken";
  return new refusals.TooLarge(`body: ${reason}`, { field: "body", reason, bytes_max });
}

/**
 * @param {Document} problem
 * @param {string} detail
 */
function notFound({ field, value }, detail) {
  return new errors.NotFound(detail, { field, value });
}

/**
 * Seconds. The header counts, then the document; dates, which need a clock, are not honoured.
 *
 * @param {string | null | undefined} header
 * @param {Document} problem
 */
function retryAfter_s(header, problem) {
  for (const value of [header, problem.retry_after_s]) {
    const seconds = parseFloat(value);
    if (seconds >= 0 && seconds < Infinity) return seconds;
  }
  return undefined;
}

/**
 * @param {string} body
 * @returns {Document | undefined}
 */
function parsed(body) {
  try {
    const document = JSON.parse(body, (_, value) => Object.freeze(value));
    return Object(document) === document && !Array.isArray(document) ? document : undefined;
  } catch {
    return undefined;
  }
}
