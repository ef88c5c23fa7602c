// What is asked once, and what acts. A refusal is an error with its status and its words.

/** A server that does not answer in this time is away: the page says so instead of waiting. */
const DEADLINE_MS = 15_000;

/** Something that acts may take longer: a flash sale answers when it has begun, a drain when the hub has agreed. */
const ACT_DEADLINE_MS = 60_000;

/** @typedef {{signed_in: boolean, owner?: string, may_act?: boolean, csrf?: string, expires_at?: string | null,
 *   version: string, up: boolean, actions?: string[]}} Session */

export class Refused extends Error {
  name = "Refused";

  /** @param {number} status 0: there was no answer @param {string} message @param {number | null} [retry_after_s] */
  constructor(status, message, retry_after_s = null) {
    super(message);
    this.status = status;
    this.retry_after_s = retry_after_s;
  }
}

/** @returns {Promise<Session>} */
export const session = () => ask("GET", "/api/session");

/** @param {string} key @returns {Promise<Session>} */
export const signIn = (key) => ask("POST", "/api/session", { body: { key } });

/** @param {string} csrf */
export const signOut = (csrf) => ask("DELETE", "/api/session", { csrf });

/**
 * @returns {Promise<{locations: {location: string, name: string | null}[], kinds: string[], items: number, levels:
 *   number}>}
 */
export const catalogue = () => ask("GET", "/api/catalogue");

/** @returns {Promise<{every_s: number, points: any[]}>} */
export const history = () => ask("GET", "/api/history");

/** @returns {Promise<{now_ms: number}>} */
export const time = () => ask("GET", "/api/clock");

/** @param {string} what @param {object} body @param {string} csrf @returns {Promise<{said: string}>} */
export const act = (what, body, csrf) => ask("POST", `/api/act/${what}`, { body, csrf, deadline_ms: ACT_DEADLINE_MS });

/**
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, csrf?: string, deadline_ms?: number}} [options]
 * @returns {Promise<any>}
 */
async function ask(method, path, { body, csrf, deadline_ms = DEADLINE_MS } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (csrf) headers["X-Stockwire-CSRF"] = csrf;
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, body: body ? JSON.stringify(body) : undefined, cache: "no-store", credentials: "same-origin",
      signal: AbortSignal.timeout(deadline_ms),
    });
  } catch {
    throw new Refused(0, "the console does not answer");
  }
  if (answer.status === 204) return {};
  const said = await answer.json().catch(() => null);
  if (answer.ok && said !== null) return said;
  const retry = Number(answer.headers.get("Retry-After"));
  throw new Refused(answer.status, said?.detail || said?.title || `the console answered ${answer.status}`, retry
    || null);
}
