import type { Feed } from "./feed.js";
import type { Session } from "./session.js";
/**
 * @param {Session} session
 * @param {Feed} feed
 * @param {number} now_ms
 * @param {number} kept  Of the budget of messages.
 */
export declare function tidy(session: Session, feed: Feed, now_ms: number, kept: number): void;
