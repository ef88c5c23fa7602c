/**
 * The page: its products as cards, what is in stock of each, live, and a badge that says whether that is of now.
 *
 * Stock is watched by @stockwire/client, whose modules lie beside this file, with a token that reads one location. What
 * changes stock goes to the shop's own back end.
 */
import { Card } from "./card.js";
import { StockClient } from "./client/index.js";
import { post } from "./post.js";

/**
 * @typedef {{ token: string, hubs: string[], location: string, cards: import("./card.js").Product[] }} Session
 */

// Between tries to open the shop, doubled each time
const PAUSE_FIRST_MS = 250, PAUSE_MAX_MS = 10_000;

const badge = /** @type {HTMLElement} */ (document.getElementById("state"));
const list = /** @type {HTMLElement} */ (document.getElementById("cards"));

void run();

async function run() {
  const { token, hubs, location, cards: products } = await openShop();
  const cards = new Map(products.map((product) => [product.sku, new Card(product, list)]));
  const client = new StockClient({ hubs, getToken: tokensFrom(token) });
  client.watch(location, cards.keys()).subscribe((view, changed) => {
    const [state, reason] = stateOf(view);
    const old = state === "live" || view.known_ms === undefined ? null : clock(view.known_ms);
    say(state, old === null ? reason : `as of ${old}, ${reason}`);
    if (old !== (document.body.dataset.old ?? null)) age(cards.values(), old);
    for (const level of changed) cards.get(level.sku)?.show(level);
  });
}

/** @returns {Promise<Session>} Once the back end and the ledger behind it answer. */
async function openShop() {
  for (let tried = 0; ; tried++) {
    try {
      return await newSession();
    } catch (error) {
      console.warn("shop:", String(error));
    }
    const pause_ms = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** tried) * Math.random();
    await new Promise((done) => setTimeout(done, pause_ms));
  }
}

/**
 * @param {AbortSignal} [signal]
 * @returns {Promise<Session>}
 */
async function newSession(signal) {
  const { ok, body } = await post("/session", {}, signal);
  if (!ok) throw new Error(body.reason);
  return body;
}

/**
 * The first token came with the products; every other is asked for when it is needed.
 *
 * @param {string | null} first
 */
function tokensFrom(first) {
  return async (/** @type {{ signal: AbortSignal }} */ { signal }) => {
    const token = first ?? (await newSession(signal)).token;
    first = null;
    return token;
  };
}

/**
 * @param {{ state: string, known_ms: number | undefined, error: Error | undefined }} view
 * @returns {[state: string, reason: string]}
 */
function stateOf({ state, known_ms, error }) {
  if (state === "closed") return ["failed", `stopped: ${error?.message ?? "closed"}`];
  if (state === "stale") return ["stale", "the hub is behind"];
  if (state === "connecting" && known_ms !== undefined) return ["reconnecting", "reconnecting"];
  return [state, state];
}

/**
 * Said aloud when it changes, and only then.
 *
 * @param {string} state
 * @param {string} text
 */
function say(state, text) {
  badge.dataset.state = state;
  if (badge.textContent !== text) badge.textContent = text;
}

/**
 * @param {Iterable<Card>} cards
 * @param {string | null} old  When what is shown was true; null: now.
 */
function age(cards, old) {
  if (old === null) delete document.body.dataset.old;
  else document.body.dataset.old = old;
  for (const card of cards) card.age(old);
}

/** @param {number} ms */
function clock(ms) {
  return new Date(ms).toLocaleTimeString("en", { hourCycle: "h23" });
}
