import { post } from "./post.js";

const TRIES = 5;
// Between tries, doubled each time
const PAUSE_FIRST_MS = 300;

/**
 * Sell one unit: the same key with every try, so that however bad the line is it is one sale.
 *
 * @param {string} sku
 * @param {string} key
 * @returns {Promise<{ sold: true, version: number } | { sold: false, reason: string }>}
 */
export async function buyOne(sku, key) {
  for (let tried = 0; tried < TRIES; tried++) {
    try {
      const { ok, status, body } = await post("/buy", { sku, key });
      if (ok) return { sold: true, version: body.version };
      if (status === 409) return { sold: false, reason: "sold out, somebody was faster" };
      if (status !== 503) return { sold: false, reason: body.reason };
    } catch (error) {
      console.warn("buy:", String(error));
    }
    await new Promise((done) => setTimeout(done, PAUSE_FIRST_MS * 2 ** tried * (0.5 + Math.random() / 2)));
  }
  return { sold: false, reason: "no answer: please look at your orders before you try again" };
}
