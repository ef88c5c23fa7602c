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
import { newEntry } from "./feed.js";
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
  const alone = [watcher];
  for (const sku of skus ?? []) {
    const entry = feed.entries.get(sku) ?? newEntry();
    entry.watchers = entry.watchers.length ? [...entry.watchers, watcher] : alone;
    feed.entries.set(sku, entry);
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
    if (!entry) continue;
    entry.watchers = entry.watchers.filter((one) => one !== watcher);
    if (!entry.watchers.length) feed.idle.set(sku, now_ms);
  }
}

/**
 * A connection has begun: as few subscriptions as can be, each from where all of its skus can be resumed.
 *
 * @param {Feed} feed
 */
export function repack(feed) {
  if (!feed.isNamed) return;
  /** @type {string[]} */
  const resumed = [];
  /** @type {Set<Pack>} */
  const packs = new Set();
  for (const [sku, entry] of feed.entries) {
    if (entry.pack?.position) {
      packs.add(entry.pack);
      resumed.push(sku);
    } else {
      entry.pack = undefined;
      feed.loose.add(sku);
    }
  }
  const [only] = packs;
  // As it was: the hub can check that the position belongs to it
  const since = packs.size === 1 && only?.size === resumed.length ? only.position : earliest(packs);
  feed.packs = [];
  while (resumed.length) place(new Pack(feed, resumed.splice(0, SKUS_MAX), since));
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
    for (const pack of feed.packs) if (!pack.id) ask(session, pack, now_ms);
    while (feed.loose.size) {
      const pack = new Pack(feed, [...feed.loose].slice(0, SKUS_MAX));
      if (!ask(session, pack, now_ms)) break;
      place(pack);
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
    (feed) =>
      feed.loose.size || feed.idle.size || isUntidy(feed) || feed.packs.some((pack) => !pack.id || (feed.isNamed && !pack.live)),
  );

/**
 * Whether it could be asked for now.
 *
 * @param {Session} session
 * @param {Pack} pack
 * @param {number} now_ms
 */
function ask(session, pack, now_ms) {
  const isTime = now_ms >= pack.notBefore_ms && fits(session, pack.size) && session.budget.take(now_ms);
  if (isTime) session.ask(pack);
  return isTime;
}

/**
 * @param {Session} session
 * @param {number} more  Skus.
 */
export const fits = ({ subs, named, limits }, more) => subs.size < limits.packs && named + more <= limits.skus;

/** @param {Session} session */
const isCrowded = ({ subs, named, limits }) => subs.size > CROWDED * limits.packs || named > CROWDED * limits.skus;

/**
 * What it names is brought by it from now on.
 *
 * @param {Pack} pack
 */
function place(pack) {
  const { feed, skus = [] } = pack;
  feed.packs.push(pack);
  for (const sku of skus) {
    feed.loose.delete(sku);
    const entry = feed.entries.get(sku);
    if (entry) pack.adopt(entry);
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
    if (isOver && (!pack.id || session.budget.take(now_ms, kept))) session.end(pack);
    if (isOver && !feed.packs.length && !feed.entries.size) session.close(feed); // each threshold is a feed
  }
  if (isUntidy(feed)) session.tidy(session, feed, now_ms, kept);
}

/**
 * Whether few subscriptions could do what many do, or one names skus of which most are wanted no more.
 *
 * @param {Feed} feed
 */
const isUntidy = ({ packs }) =>
  packs.length > PACKS_CALM || packs.some(({ isComplete, live, size }) => isComplete && live * 2 < size);
