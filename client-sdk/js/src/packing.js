/**
 * Which subscriptions bring what is wanted: few messages, nothing lost. Pure.
 *
 * A subscription cannot be changed, so what is newly wanted gets another one beside it, as much of it at once as there
 * is when a message may be sent. What is wanted no more lingers, for whoever scrolls back. What few are left of is taken
 * over by a new one, and the old ones end when that is complete.
 *
 * @import { Feed, Watcher } from "./feed.js"
 * @import { Session } from "./session.js"
 */
import { addWatcher, newEntry, removeWatcher } from "./feed.js";
import { Pack, earliest } from "./pack.js";

export const LINGER_MS = 10_000;
// What hubs take by default in a subscription; of a connection, and over all its subscriptions: of others, of a visitor
export const SKUS_MAX = 1_000;
export const LIMITS = { packs: 128, skus: 20_000 };
export const VISITOR_LIMITS = { packs: 32, skus: 2_000 };
// From here on ending comes before beginning, and nothing lingers
const CROWDED = 0.75;
// More subscriptions of a location than these are taken together when there is time
export const PACKS_CALM = 8;
// Of the burst, kept for what somebody waits for
const KEPT = 0.5;

// In `idle`, in the place of a sku: all of it. No sku has that name
const ALL = "*";

/**
 * @param {Feed} feed
 * @param {readonly string[] | null} skus  Null: all of it.
 * @param {Watcher} watcher
 */
export function want(feed, skus, watcher) {
  if (!skus) {
    feed.watchers.add(watcher);
    feed.idle.delete(ALL);
  }
  for (const sku of skus ?? []) {
    let entry = feed.entries.get(sku);
    if (!entry) feed.entries.set(sku, (entry = newEntry()));
    addWatcher(entry, watcher);
    feed.idle.delete(sku);
    if (!entry.pack) feed.loose.add(sku);
  }
}

/**
 * @param {Feed} feed
 * @param {readonly string[] | null} skus
 * @param {Watcher} watcher
 * @param {number} now_ms
 */
export function unwant(feed, skus, watcher, now_ms) {
  if (feed.watchers.delete(watcher) && !feed.watchers.size) feed.idle.set(ALL, now_ms);
  for (const sku of skus ?? []) {
    const entry = feed.entries.get(sku);
    if (entry && !removeWatcher(entry, watcher)) feed.idle.set(sku, now_ms);
  }
}

/**
 * A connection has begun: as few subscriptions as can be, each from where all of its skus can be resumed.
 *
 * @param {Feed} feed
 */
export function repack(feed) {
  if (!feed.isNamed) return;
  /** @type {string[][]} */
  const [resumed = [], others = []] = [[], []];
  /** @type {Set<Pack>} */
  const packs = new Set();
  for (const [sku, { pack }] of feed.entries) {
    if (pack?.position) packs.add(pack);
    (pack?.position ? resumed : others).push(sku);
  }
  const [only] = packs;
  // As it was: the hub can check that the position belongs to it
  const since = packs.size === 1 && only?.size === resumed.length ? only.position : earliest(packs);
  const kept = cut(resumed).map((skus) => new Pack(skus, since));
  feed.packs = [];
  feed.loose.clear();
  for (const pack of [...kept, ...cut(others).map((skus) => new Pack(skus))]) place(feed, pack);
}

/**
 * What to ask for and what to end now, within the budget of messages.
 *
 * @param {Session} session
 * @param {number} now_ms
 */
export function plan(session, now_ms) {
  for (const feed of session.feeds.values()) {
    const crowded = isCrowded(session);
    expire(session, feed, crowded ? Infinity : now_ms - LINGER_MS);
    const kept = crowded ? 0 : KEPT;
    tidy(session, feed, now_ms, kept);
    for (const pack of feed.packs) if (!pack.id) ask(session, feed, pack, now_ms);
    while (feed.loose.size && fits(session, Math.min(feed.loose.size, SKUS_MAX)) && session.budget.take(now_ms)) {
      const [skus] = cut([...feed.loose]);
      if (!skus) break;
      const pack = new Pack(skus);
      for (const sku of skus) feed.loose.delete(sku);
      place(feed, pack);
      session.ask(feed, pack);
    }
  }
}

/**
 * Whether `plan` has to be asked again, although nothing new is wanted.
 *
 * @param {Session} session
 */
export const isUnsettled = (session) =>
  [...session.feeds.values()].some(
    (feed) => feed.loose.size || feed.idle.size || feed.packs.some((pack) => !pack.id || (feed.isNamed && !pack.live)),
  );

/**
 * @param {Session} session
 * @param {Feed} feed
 * @param {Pack} pack
 * @param {number} now_ms
 */
function ask(session, feed, pack, now_ms) {
  if (now_ms < pack.notBefore_ms || !fits(session, pack.size)) return;
  if (session.budget.take(now_ms)) session.ask(feed, pack);
}

/**
 * @param {Session} session
 * @param {number} more  Skus.
 */
export const fits = ({ subs, named, limits }, more) => subs.size < limits.packs && named + more <= limits.skus;

/** @param {Session} session */
const isCrowded = ({ subs, named, limits }) => subs.size > CROWDED * limits.packs || named > CROWDED * limits.skus;

/** @param {readonly string[]} skus */
function cut(skus) {
  const parts = [];
  for (let first = 0; first < skus.length; first += SKUS_MAX) parts.push(skus.slice(first, first + SKUS_MAX));
  return parts;
}

/**
 * @param {Feed} feed
 * @param {Pack} pack
 */
function place(feed, pack) {
  feed.packs.push(pack);
  pack.live = 0;
  for (const sku of pack.skus ?? []) {
    const entry = feed.entries.get(sku);
    if (!entry) continue;
    entry.pack = pack;
    pack.live++;
  }
}

/**
 * Forget what nobody has wanted since `since_ms`.
 *
 * @param {Session} session
 * @param {Feed} feed
 * @param {number} since_ms
 */
export function expire(session, feed, since_ms) {
  for (const [sku, idle_ms] of feed.idle) {
    if (idle_ms > since_ms) continue;
    if (sku === ALL) session.close(feed);
    const pack = feed.entries.get(sku)?.pack;
    if (pack) pack.live--;
    feed.forget(sku);
  }
}

/**
 * @param {Session} session
 * @param {Feed} feed
 * @param {number} now_ms
 * @param {number} kept
 */
function tidy(session, feed, now_ms, kept) {
  for (const pack of feed.packs) {
    const isOver = feed.isNamed && !pack.live && !pack.takesOver;
    if (isOver && (!pack.id || session.budget.take(now_ms, kept))) session.end(feed, pack);
    if (isOver && !feed.packs.length && !feed.entries.size) session.close(feed); // each threshold is a feed
  }
  if (isUntidy(feed)) session.tidy?.(session, feed, now_ms, kept);
}

/**
 * Whether few subscriptions could do what many do, or one names skus of which most are wanted no more.
 *
 * @param {Feed} feed
 */
export const isUntidy = ({ packs }) =>
  packs.length > PACKS_CALM || packs.some(({ isComplete, live, size }) => isComplete && live * 2 < size);
