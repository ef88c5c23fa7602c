// What the page knows and what can be done to it. Messages change the state; then drawing is asked for.

import * as api from "./api.js";
import { applied, committed, withPoint } from "./answers.js";
import { conditionOf } from "./condition.js";
import { Live } from "./live.js";
import { Paint } from "./paint.js";
import { addressOf, routeOf, titleOf } from "./routes.js";
import * as theme from "./theme.js";

/** @typedef {import("./routes.js").Page} Page */
/** @typedef {{text: string, tone: "good" | "bad", at_ms: number}} Notice */

/** An address is written so long after the last letter of a search: browsers take a hundred writes in 30 s. */
const ADDRESS_AFTER_MS = 300;
const NOTICE_MS = 12_000;

/**
 * What a screen asks the console for.
 * @typedef {(route: import("./routes.js").Route, ui: any) => {topic: string, args: object}} Asks
 */

export class App {
  /** @param {{asks: Record<Page, Asks>, draw: (painted?: () => void) => void}} options */
  constructor({ asks, draw }) {
    this.asks = asks;
    this.draw = draw;
    this.route = routeOf(location.pathname, location.search);
    /** @type {api.Session | null} null: not asked yet */
    this.session = null;
    /** @type {string} why there is no session to be had now */
    this.away = "";
    /** Whether a session ended that nobody here has ended. */
    this.ended = false;
    /** @type {Awaited<ReturnType<typeof api.catalogue>> | null} */
    this.catalogue = null;
    /** @type {any[]} points of charts, oldest first */
    this.history = [];
    /** @type {any} what is shown of the present topic; null: nothing yet */
    this.data = null;
    /** @type {{type: string, detail: string} | null} */
    this.error = null;
    this.topic = "";
    this.asked = "";
    /** @type {string | null} when what is shown was true, by the console's clock */
    this.true_at = null;
    /** @type {Record<string, any>} what each page remembers of how it was left */
    this.uis = {};
    this.help = false;
    /** @type {Notice | null} */
    this.notice = null;
    /** @type {string | null} what is being done now */
    this.doing = null;
    this.theme = theme.chosen();
    this.paint = new Paint();
    this.live = new Live({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`,
      onAnswer: (answer) => this.#answered(answer),
      onLink: (link) => this.#linked(link),
    });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.address = undefined;
  }

  get ui() {
    return this.uis[this.route.page] ?? {};
  }

  get condition() {
    return conditionOf(this.live.link, this.data, this.true_at);
  }

  async start() {
    try {
      this.session = await api.session();
      this.away = "";
    } catch (error) {
      this.away = /** @type {Error} */ (error).message;
    }
    if (this.session?.signed_in) this.#signedIn();
    this.draw();
  }

  /** @param {string} key */
  async signIn(key) {
    this.session = await api.signIn(key);
    this.#signedIn();
    this.draw();
  }

  async signOut() {
    this.live.stop();
    try {
      await api.signOut(this.session?.csrf ?? "");
    } finally {
      this.#signedOut(false);
    }
  }

  /** Every second: whatever grows older, and what is due. */
  tick() {
    this.live.look();
    if (!this.session && this.away) void this.start();
    if (this.session?.signed_in) void this.paint.tune();
    if (this.notice && Date.now() - this.notice.at_ms > NOTICE_MS) this.notice = null;
    this.draw();
  }

  /**
   * To another page, or the same with other arguments.
   * @param {Page} page
   * @param {Record<string, string | undefined | null>} [args]
   * @param {{replace?: boolean}} [options] `replace`: no step of its own in the history
   */
  go(page, args = {}, { replace = false } = {}) {
    const address = addressOf(page, args);
    const [path = "", query = ""] = address.split("?");
    const moved = page !== this.route.page;
    this.route = routeOf(path, query);
    clearTimeout(this.address);
    if (replace) this.address = setTimeout(() => history.replaceState(null, "", address), ADDRESS_AFTER_MS);
    else history.pushState(null, "", address);
    this.#arrived(moved && !replace);
  }

  /** The address was changed by the browser: back, forward. */
  follow() {
    clearTimeout(this.address);
    this.route = routeOf(location.pathname, location.search);
    this.#arrived(true);
  }

  /** @param {object} patch of what the present page remembers */
  remember(patch) {
    this.uis[this.route.page] = { ...this.ui, ...patch };
    this.ask();
    this.draw();
  }

  /** Asks for what the present page shows, if that is something else than before. */
  ask() {
    if (!this.session?.signed_in) return;
    const question = this.asks[this.route.page](this.route, this.ui);
    const asked = JSON.stringify(question);
    if (asked === this.asked) return;
    this.asked = asked;
    const subject = question.topic + subjectOf(question);
    if (subject !== this.topic) {
      this.topic = subject;
      this.data = null;
      this.true_at = null;
    }
    this.error = null;
    this.live.show(question);
  }

  /** @param {string} what @param {object} body */
  async act(what, body) {
    if (this.doing) return;
    this.doing = what;
    this.draw();
    try {
      const { said } = await api.act(what, body, this.session?.csrf ?? "");
      this.notice = { text: said, tone: "good", at_ms: Date.now() };
    } catch (error) {
      const { status, message } = /** @type {api.Refused} */ (error);
      if (status === 401) this.#signedOut();
      this.notice = { text: `${what}: ${message}`, tone: "bad", at_ms: Date.now() };
    }
    this.doing = null;
    this.draw();
  }

  /** @param {theme.Theme} chosen */
  setTheme(chosen) {
    this.theme = chosen;
    theme.choose(chosen);
    this.draw();
  }

  /** @param {boolean} open */
  setHelp(open) {
    this.help = open;
    this.draw();
  }

  /** @param {boolean} moved to another page: its heading takes the focus, as after a load */
  #arrived(moved) {
    document.title = `${titleOf(this.route)} · Stockwire`;
    this.ask();
    this.draw(moved ? () => document.getElementById("title")?.focus() : undefined);
    if (moved) scrollTo(0, 0);
  }

  /** @param {import("./live.js").Answer} answer */
  #answered(answer) {
    if (answer.error) {
      this.error = answer.error;
      return this.draw();
    }
    const topic = this.live.question?.topic ?? "";
    const before = this.data;
    this.data = applied(topic, before, answer);
    this.true_at = this.data?.at ?? null;
    this.error = null;
    this.history = withPoint(this.history, this.data?.point);
    const drawn_ms = committed(topic, before, this.data);
    this.draw(drawn_ms.length ? () => this.paint.seen(drawn_ms) : undefined);
  }

  /** @param {import("./live.js").Link} link */
  #linked(link) {
    if (link.state === "signed out") return this.#signedOut();
    if (link.state === "live") void this.#fetchHistory();   // what happened before, or meanwhile
    this.draw();
  }

  async #fetchHistory() {
    try {
      const { points } = await api.history();
      this.history = points;
      this.draw();
    } catch {
      // charts begin with what comes from now on
    }
  }

  #signedIn() {
    document.title = `${titleOf(this.route)} · Stockwire`;
    this.asked = "";
    this.ask();
    this.live.start();
    void this.paint.tune();
    api.catalogue().then((catalogue) => {
      this.catalogue = catalogue;
      this.draw();
    }, () => undefined);   // filters are typed then, instead of chosen
  }

  /** @param {boolean} [ended] by itself */
  #signedOut(ended = true) {
    this.live.stop();
    this.ended = ended;
    this.session = { signed_in: false, version: this.session?.version ?? "", up: this.session?.up ?? false };
    this.data = null;
    this.topic = this.asked = "";
    document.title = "Sign in · Stockwire";
    this.draw();
  }
}

/**
 * What an answer is about: if that changes, what was held says nothing about it.
 * @param {{topic: string, args: any}} question
 */
function subjectOf({ topic, args }) {
  return topic === "level" ? JSON.stringify([args.sku, args.location]) : "";
}
