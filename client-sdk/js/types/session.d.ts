import type { StockwireError } from "./errors.js";
import type { Kind } from "./kind.js";
import type { Connected, Heartbeat } from "./frame.js";
import type { Pack } from "./pack.js";
import type { Ending } from "./reconnect.js";
/**
 * The client's side of protocol v1 on one connection, for everything that is watched. Pure: messages in, what to do
 * out; no socket, no clock. It outlives its connections: each begins with `begin` and ends with `lost`.
 *
 * @import { StockwireError } from "./errors.js"
 * @import { Kind } from "./kind.js"
 * @import { Connected, ErrorReply, Heartbeat, Message, Part, Subscribed } from "./frame.js"
 * @import { Pack } from "./pack.js"
 * @import { Ending } from "./reconnect.js"
 */
import { Budget } from "./budget.js";
import { Feed } from "./feed.js";
export declare class Session {
    #private;
    /** @type {Map<string, Feed>} */
    feeds: Map<string, Feed>;
    /** @type {string | undefined} */
    epoch: string | undefined;
    limits: {
        packs: number;
        skus: number;
    };
    /** Counts what may change the state of a view. */
    turn: number;
    /** @type {string[]} To be sent, in this order. */
    out: string[];
    /** @type {Connected | undefined} */
    connected: Connected | undefined;
    /** @type {Heartbeat | undefined} */
    heard: Heartbeat | undefined;
    /** @type {Map<number, Pack>} */
    subs: Map<number, Pack>;
    /** Skus, over all subscriptions. */
    named: number;
    /** 0: nothing was said yet, and nothing is until there is a connection. */
    lastId: number;
    /** @type {(session: Session, feed: Feed, now_ms: number, kept: number) => void} What `tidy.js` does, or loads it. */
    tidy: (session: Session, feed: Feed, now_ms: number, kept: number) => void;
    /** A snapshot was completed. */
    isTaken: boolean;
    budget: Budget;
    /**
     * @param {Kind} kind
     * @param {string} location
     * @param {boolean} isNamed
     */
    feed(kind: Kind, location: string, isNamed: boolean): Feed;
    /**
     * A connection is open: what to say first. The subscriptions do not wait for the answer to `connect`: should the
     * epoch be another, the hub serves no position of the old one.
     *
     * @param {string | undefined} token  None of a visitor.
     * @param {number} now_ms
     */
    begin(token: string | undefined, now_ms: number): void;
    /** @param {number} now_ms */
    plan(now_ms: number): void;
    /**
     * Its id.
     *
     * @param {string} type
     * @param {object} [members]
     */
    say(type: string, members?: object): number;
    /** @param {Pack} pack */
    ask(pack: Pack): void;
    /** @param {Pack} pack */
    end(pack: Pack): void;
    /**
     * The connection has gone; what is held ages.
     *
     * @param {number | null | undefined} code
     */
    lost(code: number | null | undefined): void;
    /**
     * What one message means; everything that is held has it when this returns.
     *
     * @param {string} text
     * @param {number} now_ms
     * @returns {Ending | undefined}  The connection is over.
     */
    receive(text: string, now_ms: number): Ending | undefined;
    /**
     * @param {Feed} feed
     * @param {StockwireError} [error]
     */
    close(feed: Feed, error?: StockwireError): void;
}
