// The one connection over which the console says what is shown. It comes back by itself, and asks again for what it
// showed.
// What it knows of its own state is honest: silence is a cut, whatever the socket says.

/**
 * Something comes at least this often while we are shown anything that changes; else we ask again, which must be
 *   answered.
 */
export const QUIET_MS = 4_000;
/** A question that is not answered in this time: the connection is dead. */
export const ANSWER_MS = 6_000;
const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 10_000;
const SIGNED_OUT = 4001;
const UNREADABLE = 4002;
const CROWDED = 1013;

/** @typedef {"idle" | "connecting" | "live" | "reconnecting" | "signed out" | "failed"} LinkState */
/** @typedef {{state: LinkState, since_ms: number, reason: string}} Link */
/** @typedef {{topic: string, args: object}} Question */
/** @typedef {{id: number, data?: any, rows?: any[], error?: {type: string, detail: string}}} Answer */

export class Live {
  /**
   * @param {{
   *   url: string,
   *   onAnswer: (answer: Answer) => void,
   *   onLink: (link: Link) => void,
   *   WebSocket?: typeof WebSocket,
   *   now?: () => number,
   *   random?: () => number,
   * }} options
   */
  constructor({ url, onAnswer, onLink, WebSocket: Socket = globalThis.WebSocket, now = Date.now,
    random = Math.random }) {
    this.url = url;
    this.onAnswer = onAnswer;
    this.onLink = onLink;
    this.Socket = Socket;
    this.now = now;
    this.random = random;
    /** @type {Link} */
    this.link = { state: "idle", since_ms: now(), reason: "" };
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Question | null} */
    this.question = null;
    this.id = 0;
    this.failures = 0;
    this.heard_ms = 0;
    /** @type {number | null} when the question that waits for its answer was sent */
    this.asked_ms = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  start() {
    if (this.socket || this.timer !== undefined) return;
    if (this.Socket) this.#connect();
    else this.#became("failed", "this browser opens no WebSockets");
  }

  /** Until `start` again. */
  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.#drop();
    this.#became("idle", "");
  }

  /** Replaces what is shown. Asked again by itself after each cut. @param {Question} question */
  show(question) {
    this.question = question;
    this.#ask();
  }

  /** By the clock, not by timers: a page that slept looks at once. Called every second, and on waking. */
  look() {
    const now = this.now();
    if (this.link.state !== "live" && this.link.state !== "connecting") return;
    if (this.asked_ms !== null && now - this.asked_ms > ANSWER_MS) this.#ended("the console does not answer", 0);
    else if (this.link.state === "live" && this.asked_ms === null && now - this.heard_ms > QUIET_MS) this.#ask();
  }

  /** The network is back, or the page is looked at again: waiting any longer serves nobody. */
  hurry() {
    if (this.timer === undefined) return this.look();
    clearTimeout(this.timer);
    this.timer = undefined;
    this.#connect();
  }

  #connect() {
    this.timer = undefined;
    if (this.link.state === "idle") this.#became("connecting", "");
    const socket = new this.Socket(this.url);
    this.socket = socket;
    this.asked_ms = this.now();
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#ask();
    };
    socket.onmessage = ({ data }) => this.#heard(data);
    socket.onclose = ({ code, reason }) => this.#ended(reason || (opened ? "the connection was cut"
      : "the console is away, or a proxy lets no WebSocket through"), code);
    if (this.link.state === "reconnecting") this.timer = setTimeout(() => this.#late(socket), ANSWER_MS);
  }

  /** @param {WebSocket} socket */
  #late(socket) {
    this.timer = undefined;
    if (this.socket === socket && this.link.state !== "live") this.#ended("the console does not answer", 0);
  }

  #ask() {
    if (!this.question || this.socket?.readyState !== 1) return;
    this.id += 1;
    this.asked_ms = this.now();
    this.socket.send(JSON.stringify({ id: this.id, show: this.question.topic, args: this.question.args }));
  }

  /** @param {string} text */
  #heard(text) {
    /** @type {Answer} */
    const answer = JSON.parse(text);
    this.heard_ms = this.now();
    if (answer.id !== this.id) return;
    this.asked_ms = null;
    this.failures = 0;
    if (this.link.state !== "live") {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.#became("live", "");
    }
    this.onAnswer(answer);
  }

  /** @param {string} reason @param {number} code */
  #ended(reason, code) {
    this.#drop();
    clearTimeout(this.timer);
    this.timer = undefined;
    if (code === SIGNED_OUT) return this.#became("signed out", "the session ended");
    if (code === UNREADABLE) return this.#became("failed",
      `the console and this page are of different versions (${reason}): reload`);
    this.#became("reconnecting", code === CROWDED ? "the console has as many viewers as it takes" : reason);
    const ceiling_ms = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** this.failures++);
    this.timer = setTimeout(() => this.#connect(), (code === CROWDED ? PAUSE_MAX_MS / 2
      : 0) + this.random() * ceiling_ms);
  }

  #drop() {
    const socket = this.socket;
    this.socket = null;
    this.asked_ms = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {LinkState} state @param {string} reason */
  #became(state, reason) {
    if (this.link.state === state && this.link.reason === reason) return;
    const since_ms = this.link.state === state ? this.link.since_ms : this.now();
    this.link = { state, since_ms, reason };
    this.onLink(this.link);
  }
}
