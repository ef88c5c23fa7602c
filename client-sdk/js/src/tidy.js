/**
 * Fewer subscriptions for what is wanted: what few are left of is taken over by a new one, and the old ones end when that
 * is complete. Loaded by pages that need it, which are few.
 *
 * @import { Feed } from "./feed.js"
 * @import { Session } from "./session.js"
 */
import { Pack, earliest } from "./pack.js";
import { PACKS_CALM, SKUS_MAX, fits } from "./packing.js";

// As many skus that nobody wants are let be: to name the others again costs a snapshot
const WASTE_SKUS = 50;

/**
 * @param {Session} session
 * @param {Feed} feed
 * @param {number} now_ms
 * @param {number} kept  Of the budget of messages.
 */
export function tidy(session, feed, now_ms, kept) {
  const full = feed.packs.filter(({ isComplete, live }) => isComplete && live);
  const isMany = full.length > PACKS_CALM;
  let waste = 0, count = 0;
  /** @type {Set<Pack | undefined>} */
  const taken = new Set();
  for (const pack of full) {
    const { size } = pack;
    const isPoor = pack.live * 2 < size || (isMany && pack.live * 2 < SKUS_MAX);
    if (!isPoor || count + pack.live > SKUS_MAX) continue;
    waste += size - pack.live;
    count += pack.live;
    taken.add(pack);
  }
  if ((!isMany || taken.size < 2) && waste < WASTE_SKUS) return;
  if (feed.packs.some(({ takesOver }) => takesOver) || !fits(session, count) || !session.budget.take(now_ms, kept)) return;
  const skus = [...feed.entries].flatMap(([sku, { pack }]) => (taken.has(pack) ? sku : []));
  const pack = new Pack(feed, skus, earliest(taken));
  pack.takesOver = true;
  feed.packs.push(pack);
  session.ask(pack);
}
