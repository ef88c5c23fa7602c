/**
 * The way to a hub, kept open: connects, feeds the session, judges silence by the clock, waits, connects again.
 *
 * @import { Ending } from "./reconnect.js"
 * @import { StockwireError } from "./errors.js"
 * @import { State, View } from "./view.js"
 * @import { Tokens } from "./tokens.js"
 *
 * @typedef {object} Socket  A WebSocket, or what acts as one.
 * @property {(text: string) => void} send
 * @property {(code?: number) => void} close
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {boolean} [isMute]  It cannot ask the hub for a sign of life.
 *
 * @typedef {(options: { signal: AbortSignal }) => string | Promise<string>} GetToken
 */
import { Later, StockwireError as AnyError } from "./errors.js";
import { atNextFrame } from "./frames.js";
import { heed, shout } from "./heed.js";
import { VISITOR_LIMITS, isUnsettled } from "./packing.js";
import { Reconnect, TOO_MANY, refusalOf } from "./reconnect.js";
import { Session } from "./session.js";

const HEARTBEATS_MISSED_MAX = 2;
// For a hub to answer
const CONNECT_TIMEOUT_MS = 10_000;
// How often the clock is looked at
const LOOK_MS = 500;
// What has arrived while this page could not run is read first
const GRACE_MS = 300;
const PROBE_MS = 3_000;

export class Link {
  session = new Session();
  /** @type {Set<View<any>>} */
  views = new Set();
  /** @type {Set<View<any>>} Those with something to tell. */
  touched = new Set();
  /** @type {Set<() => void>} */
  listeners = new Set();
  /** @type {any} Why it is closed; until it is live, why not, if that can be said. */
  error;
  /** @type {Tokens | undefined} There from the first connection on, if the application gives any. */
  tokens;
  isClosed = false;
  /** When the hub said something last, and when it did while it had everything. */
  heard_ms = 0;
  fresh_ms = 0;
  /** @type {((text: string) => void) | undefined} Hears what the hub says, after it is held. */
  tap;
  /** @type {(() => void) | undefined} */
  slept;
  /** @type {number | undefined} When what was held before a reload was known to be true. */
  stored_ms;
  /** Nobody looks: the connection was let go, and comes back with `wake`. */
  isAsleep = false;
  /** How often in a row a connection ended before the hub spoke; why, a browser does not say. */
  failed = 0;
  /** How often in a row the hub had no place. */
  crowded = 0;

  /** @type {Socket | undefined} */
  #socket;
  /** @type {symbol | undefined} The attempt that is under way. */
  #trying;
  #turn = 0;
  /** @type {{ least_ms: number, timer: ReturnType<typeof setTimeout> } | undefined} */
  #wait;
  /** Something must be heard until then. */
  #doomed_ms = Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #planning;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looking;
  /** @type {State} */
  #toldState = "connecting";
  /** Tell everybody what has changed, once in a frame. */
  tellSoon = atNextFrame(() => this.#tell());

  /**
   * @param {object} options
   * @param {(link: Link) => Promise<[Socket, string | undefined]>} options.open  With the token to say.
   * @param {Session["tidy"]} options.tidy
   * @param {GetToken} [options.getToken]
   */
  constructor({ open, tidy, getToken }) {
    this.open = open;
    this.session.tidy = tidy;
    this.getToken = getToken;
    if (!getToken) this.session.limits = VISITOR_LIMITS;
    this.reconnect = new Reconnect(getToken !== undefined);
  }

  /** @returns {State} */
  get state() {
    if (this.isClosed) return "closed";
    if (!this.session.connected) return "connecting";
    return this.session.heard?.fresh === false || this.isSilent ? "stale" : "live";
  }

  get isSilent() {
    return Math.abs(Date.now() - this.heard_ms) > this.#silence_ms();
  }

  #silence_ms() {
    const { connected } = this.session;
    return connected ? HEARTBEATS_MISSED_MAX * connected.heartbeat_s * 1_000 : CONNECT_TIMEOUT_MS;
  }

  /** What is wanted has changed: all that does so in one tick is one subscription. */
  wanted() {
    if (this.isClosed) return;
    this.#planning ??= setTimeout(() => {
      this.#planning = undefined;
      this.#plan();
    }, 0);
    this.#begin();
  }

  #begin() {
    if (this.isClosed || this.isAsleep || this.#socket || this.#trying || this.#wait) return;
    if (this.views.size) void this.#connect();
  }

  /** Nobody looks any more. What is held stays, and is resumed from where it was. */
  sleep() {
    if (this.isClosed || this.isAsleep) return;
    this.isAsleep = true;
    if (!this.#wait) this.#leave(null); // the pause that the hub asked for goes on
    this.#refresh();
    this.slept?.();
  }

  /** Somebody looks, or the network is back. */
  wake() {
    this.isAsleep = false;
    this.#begin();
    this.probe();
  }

  /** @param {StockwireError} [error] */
  close(error) {
    if (this.isClosed) return;
    this.isClosed = true;
    this.error = error;
    this.#leave(null);
    clearTimeout(this.#planning);
    for (const view of [...this.views]) view.end(error);
    this.#refresh();
  }

  /** Something may have happened to the connection while nobody looked: judge it by the clock, and ask the hub. */
  probe() {
    const now_ms = Date.now();
    if (this.#wait && now_ms >= this.#wait.least_ms) return void this.#connect();
    if (!this.session.connected) return;
    if (!this.#socket?.isMute && this.session.budget.take(now_ms)) {
      this.session.say("probe");
      this.send();
      this.#doom(now_ms + (this.isSilent ? GRACE_MS : PROBE_MS));
    }
    this.#refresh();
  }

  async #connect() {
    clearTimeout(this.#wait?.timer);
    this.#wait = undefined;
    if (this.isAsleep) return;
    const trying = (this.#trying = Symbol());
    this.#heard();
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS); // what hangs is given up, too
    try {
      const [socket, token] = await this.open(this);
      if (trying === this.#trying) this.#converse(socket, token);
      else socket.close();
    } catch (error) {
      if (trying !== this.#trying) return;
      const isOurs = error instanceof AnyError;
      // Of the application, or of what it could not load: told once
      if (!isOurs && (!this.error || this.error instanceof AnyError)) shout(error);
      this.error = error;
      this.#ended(isOurs && !(error instanceof Later) ? { error } : {});
    }
  }

  /**
   * @param {Socket} socket
   * @param {string | undefined} token
   */
  #converse(socket, token) {
    this.#trying = undefined;
    this.#socket = socket;
    this.#heard();
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#heard();
      this.session.begin(token, Date.now());
      this.send();
    };
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(data);
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#ended({ code, reason });
  }

  #heard() {
    this.heard_ms = Date.now();
    this.#doomed_ms = Infinity;
  }

  /** @param {string} text */
  #receive(text) {
    const { session } = this;
    this.#heard();
    const known = session.connected;
    const ending = session.receive(text, this.heard_ms);
    if (ending) return this.#ended(ending);
    if (session.heard?.fresh !== false) {
      this.fresh_ms = this.heard_ms;
      this.error = undefined;
    }
    if (session.connected !== known) {
      this.failed = 0;
      this.tokens?.plan(session.connected, this.heard_ms);
    }
    this.tap?.(text);
    if (session.isTaken) {
      this.reconnect.succeeded();
      this.crowded = 0;
    }
    if (session.turn !== this.#turn) this.#refresh();
    this.tellSoon();
  }

  /** What the session has to say. */
  send() {
    const texts = this.session.out;
    this.session.out = [];
    for (const text of texts) this.#socket?.send(text);
  }

  #plan() {
    this.session.plan(Date.now());
    this.send();
    this.#refresh();
  }

  /** @param {Ending} ending */
  #ended(ending) {
    if (ending.code === TOO_MANY) this.crowded++;
    else if (this.#socket && !this.session.connected) this.failed++;
    if (ending.reason) this.error = refusalOf(ending.code, ending.reason);
    this.#leave(ending.code);
    const decision = this.reconnect.after(ending, Math.random());
    if (decision instanceof AnyError) return this.close(decision);
    this.#wait = {
      least_ms: Date.now() + decision.least_ms,
      timer: setTimeout(() => this.#connect(), decision.wait_ms),
    };
    this.#refresh();
  }

  /** @param {number | null | undefined} code */
  #leave(code) {
    const socket = this.#socket;
    this.#socket = this.#trying = undefined;
    this.tokens?.abort();
    clearTimeout(this.#wait?.timer);
    clearInterval(this.#looking);
    this.#wait = this.#looking = undefined;
    this.session.lost(code);
    socket?.close();
  }

  /** The clock decides, whenever this comes to run. */
  #look() {
    const now_ms = Date.now();
    if (now_ms > this.#doomed_ms) return this.#ended({}); // nothing was heard
    if (this.isSilent) this.#doom(now_ms + GRACE_MS);
    if (!this.views.size && !this.session.subs.size) {
      this.#leave(null); // nothing is watched any more, and nothing lingers: a place for others
      return this.#refresh();
    }
    if (isUnsettled(this.session)) this.#plan();
    void this.tokens?.renew(this, now_ms);
  }

  /** @param {number} until_ms */
  #doom(until_ms) {
    this.#doomed_ms = Math.min(until_ms, this.#doomed_ms);
  }

  #refresh() {
    this.#turn = this.session.turn;
    for (const view of [...this.views]) view.refresh();
    if (this.state !== this.#toldState) {
      this.#toldState = this.state;
      for (const listener of [...this.listeners]) heed(listener);
    }
    if (this.touched.size) this.tellSoon();
  }

  #tell() {
    for (const feed of this.session.feeds.values()) feed.tell();
    const { touched } = this;
    this.touched = new Set();
    for (const view of touched) view.tell();
  }
}
