/** Sends what a call asks, waits, sends it again. */
import { read, unreadable } from "./answer.js";
import { optional, seconds, text, whole } from "./argument.js";
import { ConfigurationError, StockwireError, Unauthorized, Unavailable } from "./errors.js";
import { tokenOf } from "./one_token.js";
import { OutcomeUnknown } from "./refusals.js";
import { Tries } from "./retry.js";

/**
 * @import { Answer, Document } from "./answer.js"
 *
 * @typedef {object} Request  Each may be sent again unchanged: what moves stock carries an Idempotency-Key.
 * @property {"GET" | "POST" | "PUT"} [method]  GET, or POST with a body.
 * @property {string} path  Begins with /v1, percent-encoded.
 * @property {Record<string, string | undefined>} [query]
 * @property {object} [body]
 * @property {string} [key]  The Idempotency-Key.
 * @property {boolean} [writes]  Although it has no key of its own.
 * @property {AbortSignal | undefined} [signal]
 *
 * @typedef {object} TransportOptions
 * @property {string} [url]  The ledger's.
 * @property {(how: { signal: AbortSignal }) => string | Promise<string>} [getToken]  An API key or a token.
 * @property {() => string | undefined} [trace]  The `traceparent` (W3C Trace Context) of what is sent now; each request
 *   to the ledger asks for it.
 * @property {typeof globalThis.fetch} [fetch]
 * @property {number} [timeout_s]  Bounds one try; 10 by default.
 * @property {number} [maxRetries]  After the first try; 5 by default.
 * @property {number} [retryFor_s]  No try begins later than that after the first; 30 by default.
 */

/** What Node says of a connection that never came about. Browsers do not tell. */
const NEVER_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;
const RETRIES_MAX = 1e6;
/** As long as a timer can be set. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Things per page: large enough to be few round trips, small enough to answer at once. */
const PAGE_SIZE = "500";

export class Transport {
  /** @param {TransportOptions} options */
  constructor({ url, getToken, trace, fetch, timeout_s = 10, maxRetries = 5, retryFor_s = 30 }) {
    this.url = optional(ledgerUrl, "url", url);
    this.getToken = getToken;
    this.trace = trace;
    this.fetch = fetch ?? globalThis.fetch.bind(globalThis);
    this.timeout_ms = seconds("timeout_s", timeout_s, 0.001) * 1000;
    this.policy = {
      maxRetries: whole("maxRetries", maxRetries, 0, RETRIES_MAX),
      retryFor_s: seconds("retryFor_s", retryFor_s, 0, Infinity),
    };
    /** @type {Promise<string> | undefined} One that is being fetched, or works. */
    this.token = undefined;
  }

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
  async call(request, parse) {
    const { key, signal } = request;
    const tries = new Tries(this.policy, !!(key || request.writes));
    const begun_ms = performance.now();
    let mayFetch = !!this.getToken;
    for (;;) {
      let token;
      try {
        if (!this.url) throw new ConfigurationError("no ledger is known: give the client its url");
        signal?.throwIfAborted();
        token = this.getToken && (this.token ??= this.#fetchToken(this.getToken));
        const answer = await this.#send(request, token);
        return parse(read(answer), answer);
      } catch (error) {
        if (error instanceof StockwireError) error.key = key;
        if (error instanceof Unauthorized && mayFetch) {
          mayFetch = false; // it may have ended since it was fetched: another one is tried, once
          if (this.token === token) this.token = undefined;
          continue;
        }
        const wait_s = tries.wait_s(error, (performance.now() - begun_ms) / 1000, Math.random());
        if (wait_s !== undefined && (await waited(wait_s, signal))) continue;
        throw signal?.aborted ? ((tries.writes && tries.unknown) || signal.reason) : tries.verdict(error);
      }
    }
  }

  /**
   * Everything that is listed. The next page is fetched when the last one has been used up.
   *
   * @param {Request} request
   * @param {string} field
   * @param {string} [after]
   * @returns {AsyncGenerator<any, void, void>}
   */
  async *listing(request, field, after) {
    for (;;) {
      const query = { ...request.query, limit: PAGE_SIZE, after };
      const { things, next } = await this.call({ ...request, query }, (document, { status }) => {
        // opaque: text in some listings, a number in others
        const next = document.next === undefined || document.next === null ? undefined : String(document.next);
        if (next && next === after) throw unreadable(`the listing does not move on from ${after}`, status);
        return { things: listIn(document, field, status), next };
      });
      yield* things;
      if (!next) return;
      after = next;
    }
  }

  /**
   * Throws Unavailable if the request never left, OutcomeUnknown if it may have arrived.
   *
   * @param {Request} request
   * @param {Promise<string> | undefined} token
   * @returns {Promise<Answer>}
   */
  async #send({ method, path, query, body, key, signal }, token) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${await unless(signal, token.catch(withoutToken))}`;
    if (body) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    const traceparent = traced(this.trace);
    if (traceparent) headers.traceparent = traceparent;
    const limit = AbortSignal.timeout(this.timeout_ms);
    try {
      const response = await this.fetch(this.url + path + searched(query), {
        method: method ?? (body ? "POST" : "GET"),
        headers,
        body: body ? JSON.stringify(body) : null,
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
        redirect: "manual",
        cache: "no-store",
        credentials: "omit",
      });
      const said = response.headers;
      return {
        status: response.status,
        body: await response.text(),
        replayed: said.get("idempotency-replayed") === "true",
        retryAfter: said.get("retry-after"),
      };
    } catch (error) {
      const { cause, message } = /** @type {any} */ (error);
      const Kind = NEVER_SENT.test(cause?.code) ? Unavailable : OutcomeUnknown;
      throw because(new Kind(`the ledger at ${this.url} did not answer: ${cause?.message || message}`), error);
    }
  }

  /**
   * One at a time, for all calls that wait for it. What fails is forgotten, and tried again by whoever needs it next.
   *
   * @param {NonNullable<TransportOptions["getToken"]>} getToken
   */
  async #fetchToken(getToken) {
    const signal = AbortSignal.timeout(this.timeout_ms);
    /** @type {Promise<never>} */
    const late = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    try {
      const token = text("getToken", await Promise.race([tokenOf(getToken, signal), late])).trim();
      // A stray quote would fail deep in `fetch`, as if the network were to blame
      if (/^[!-~]+$/.test(token)) return token;
      throw new ConfigurationError("the token has characters that none has: copy it again");
    } catch (error) {
      this.token = undefined;
      throw error;
    }
  }
}

/**
 * The list `field` of an answer.
 *
 * @param {Document} document
 * @param {string} field
 * @param {number} status
 * @returns {any[]}
 */
export function listIn(document, field, status) {
  const list = document[field];
  if (!Array.isArray(list)) throw unreadable(`the answer cannot be read: ${field} is no list`, status);
  return list;
}

/**
 * @param {StockwireError} error
 * @param {unknown} cause
 */
const because = (error, cause) => Object.assign(error, { cause });

/**
 * Nothing was sent. What the application itself says of it stays what it is, if it is one of our errors.
 *
 * @param {any} error
 * @returns {never}
 */
function withoutToken(error) {
  if (error instanceof StockwireError) throw error;
  throw because(new Unavailable(`no token: ${error?.message ?? error}`), error);
}

/**
 * What is promised, unless `signal` comes first: then its reason is thrown. Whoever else waits for it goes on.
 *
 * @template T
 * @param {AbortSignal | undefined} signal
 * @param {Promise<T>} promised
 * @returns {Promise<T>}
 */
function unless(signal, promised) {
  if (!signal) return promised;
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason);
    signal.addEventListener("abort", end);
    promised.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

/**
 * What is no traceparent is left out, so that nothing fails for its trace.
 *
 * @param {TransportOptions["trace"]} trace
 */
function traced(trace) {
  try {
    return /^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.exec(trace?.() ?? "")?.[0];
  } catch {
    return undefined;
  }
}

/** @param {Request["query"]} query */
function searched(query = {}) {
  const said = Object.entries(query).filter(([, value]) => value !== undefined);
  return said.length ? `?${new URLSearchParams(/** @type {[string, string][]} */ (said))}` : "";
}

/**
 * Whether it was waited to the end.
 *
 * @param {number} wait_s
 * @param {AbortSignal | undefined} signal
 */
function waited(wait_s, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve(!signal?.aborted);
    };
    const timer = setTimeout(end, signal?.aborted ? 0 : Math.min(wait_s * 1000, TIMER_MS_MAX));
    signal?.addEventListener("abort", end);
  });
}

/**
 * Without a slash at its end. Never shows what may hold a password.
 *
 * @param {string} field
 * @param {unknown} value
 */
function ledgerUrl(field, value) {
  const given = text(field, value).trim();
  const base = globalThis.location?.href;
  const url = URL.canParse(given, base) ? new URL(given, base) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new ConfigurationError("the URL of the ledger cannot be used: it is http(s)://host[:port]");
  }
  return url.href.replace(/\/+$/, "");
}
