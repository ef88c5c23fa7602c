/** `<stock-badge location="web" sku="A-100">In stock</stock-badge>`: see docs/how-to/badge.md. */

import { announce, prepare } from "./announcer.js";
import { hold, release } from "./button.js";
import { hubAt, hubOf } from "./place.js";
import { Shelf } from "./shelf.js";
import { alike } from "./states.js";
import { Visitor } from "./visitor.js";
import { NAMES, WAITING, everyWord, wordOf, wordsIn } from "./words.js";

/** @typedef {import("./shelf.js").Good} Good
 * @typedef {import("./states.js").Shown} Shown */

/** The text inside, the word, what is said while that may be old, and the room for all of them lie on each other in one
 * cell, and one of them is seen. What may be old never takes another line than the word did: that comes to all badges at
 * once, whenever a hub is away. */
const STYLE = `
.badge{display:inline-grid;grid-template-columns:minmax(0,max-content);max-width:100%}
.badge>*{grid-area:1/1;unicode-bidi:isolate}
slot{display:block}
.text>:not(slot),.word>:not(.word),.old>:not(.old){visibility:hidden}
.old{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.room{height:0;overflow:hidden;white-space:pre}`;

const NOTES_MAX = 50;

const hub = hubOf(import.meta.url);
/** @type {Map<string, Shelf>} by hub */
const shelves = new Map();
/** @type {Set<string>} */
const notes = new Set();
/** @type {CSSStyleSheet | undefined} made with the first badge, since a script that is loaded changes nothing */
let sheet;

/** @param {string} text told once to whoever writes the page */
function note(text) {
  if (notes.has(text) || notes.size === NOTES_MAX) return;
  notes.add(text);
  console.warn(`stock-badge: ${text}`);
}

/** @param {string} place
 * @returns {Shelf} */
function shelfOf(place) {
  const shelf = shelves.get(place) ?? new Shelf(place, new Visitor(place), note);
  shelves.set(place, shelf);
  return shelf;
}

/** A server that renders pages loads modules, and makes no elements.
 * @type {typeof HTMLElement} */
const Base = globalThis.HTMLElement ?? Object;

export class StockBadge extends Base {
  static observedAttributes = ["location", "sku", "hub", "for", "lang", "label", ...NAMES];

  #badge = document.createElement("span");
  #word = document.createElement("span");
  #old = document.createElement("span");
  #room = document.createElement("span");
  /** @type {Good | undefined} */
  #good;
  /** @type {Shelf | undefined} */
  #shelf;
  /** @type {Shown | undefined} what was told of last */
  #told;
  /** @type {string | undefined} the last state that was so */
  #fact;
  #due = false;
  #reader = () => this.#show();

  constructor() {
    super();
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const text = document.createElement("slot");
    for (const [part, element] of Object.entries({ badge: this.#badge, text, word: this.#word, old: this.#old })) {
      element.className = part;
      element.part = part;
    }
    this.#room.className = "room";
    this.#room.ariaHidden = "true";
    this.#badge.append(text, this.#word, this.#old, this.#room);
    root.append(this.#badge);
  }

  connectedCallback() {
    prepare();
    this.#settle();
  }

  disconnectedCallback() {
    this.#settle();
  }

  attributeChangedCallback() {
    this.#settle();
  }

  /** Once for all attributes that a script changes in one go, and not at all for a badge that is only moved. */
  #settle() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#choose();
      this.#show();
    });
  }

  #choose() {
    const named = this.getAttribute("hub");
    const place = named === null ? hub : hubAt(named, document.baseURI);
    const [location, sku] = [this.getAttribute("location"), this.getAttribute("sku")];
    if (this.isConnected && !place) note("which hub? Load the script from it, or name it in hub=");
    const shelf = this.isConnected && place && location && sku ? shelfOf(place) : undefined;
    const good = this.#good;
    if (shelf === this.#shelf && good?.location === location && good?.sku === sku) return;
    const next = shelf?.take(location ?? "", sku ?? "", this.#reader);
    if (good) this.#shelf?.leave(good, this.#reader);
    this.#shelf = shelf;
    this.#good = next;
  }

  #show() {
    const shown = this.#good?.shown;
    const words = this.#words();
    const waiting = this.#good && !shown && !this.#good.failed && this.#told;
    const word = shown ? wordOf(words, shown.state, false) : waiting ? WAITING : "";
    const old = shown?.stale ? wordOf(words, shown.state, true) : "";
    write(this.#room, everyWord(words));
    write(this.#word, word);
    write(this.#old, old);
    this.#badge.className = `badge ${shown?.stale ? "old" : word ? "word" : "text"}`;
    this.#mark(shown ? (shown.stale ? "stale" : shown.state) : waiting ? "waiting" : "");
    this.#hold(shown);
    if (shown && !shown.stale) this.#announce(shown, word);
    if (shown && !alike(shown, this.#told)) this.#tell(shown, old || word);
    if (!waiting) this.#told = shown;
  }

  #words() {
    const language = (this.closest("[lang]") ?? document.documentElement).getAttribute("lang");
    const words = { ...wordsIn(language) };
    for (const name of NAMES) words[name] = this.getAttribute(name) ?? words[name];
    return words;
  }

  /** @param {string} state */
  #mark(state) {
    const { dataset } = this;
    if (!state) delete dataset.state;
    else if (dataset.state !== state) dataset.state = state;
  }

  /** @param {Shown | undefined} shown */
  #hold(shown) {
    const button = this.getAttribute("for");
    // What may be old is no reason: whoever takes the order knows
    if (button && shown?.state === "out" && !shown.stale) hold(this, button);
    else release(this);
  }

  /** @param {Shown} shown
   * @param {string} word */
  #announce({ state, seen }, word) {
    const label = this.getAttribute("label") ?? seen.sku;
    if (this.#fact !== undefined && this.#fact !== state) announce(`${seen.location}/${seen.sku}`, `${label}: ${word}`);
    this.#fact = state;
  }

  /** @param {Shown} shown
   * @param {string} word */
  #tell({ state, stale, seen }, word) {
    const detail = Object.freeze({ ...seen, state, stale, word });
    this.dispatchEvent(new CustomEvent("stockchange", { bubbles: true, composed: true, detail }));
  }
}

/** Only what differs: a selection in the page stays.
 * @param {HTMLElement} element
 * @param {string} text */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
