import type { Feed, Watcher } from "./feed.js";
import type { Session } from "./session.js";
export declare const LINGER_MS = 10000;
export declare const SKUS_MAX = 1000;
export declare const LIMITS: {
    packs: number;
    skus: number;
};
export declare const VISITOR_LIMITS: {
    packs: number;
    skus: number;
};
export declare const PACKS_CALM = 8;
/**
 * @param {Feed} feed
 * @param {readonly string[] | null} skus  Null: all of it.
 * @param {Watcher} watcher
 */
export declare function want(feed: Feed, skus: readonly string[] | null, watcher: Watcher): void;
/**
 * @param {Feed} feed
 * @param {readonly string[] | null} skus
 * @param {Watcher} watcher
 * @param {number} now_ms
 */
export declare function unwant(feed: Feed, skus: readonly string[] | null, watcher: Watcher, now_ms: number): void;
/**
 * A connection has begun: as few subscriptions as can be, each from where all of its skus can be resumed.
 *
 * @param {Feed} feed
 */
export declare function repack(feed: Feed): void;
/**
 * What to ask for and what to end now, within the budget of messages.
 *
 * @param {Session} session
 * @param {number} now_ms
 */
export declare function plan(session: Session, now_ms: number): void;
/**
 * Whether `plan` has to be asked again, although nothing new is wanted.
 *
 * @param {Session} session
 */
export declare const isUnsettled: (session: Session) => boolean;
/**
 * @param {Session} session
 * @param {number} more  Skus.
 */
export declare const fits: ({ subs, named, limits }: Session, more: number) => boolean;
/**
 * Forget what nobody has wanted since `since_ms`.
 *
 * @param {Session} session
 * @param {Feed} feed
 * @param {number} since_ms
 */
export declare function expire(session: Session, feed: Feed, since_ms: number): void;
