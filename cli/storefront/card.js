/**
 * One product: its number, which ticks, and a button that sells one.
 *
 * @typedef {{ sku: string, name: string, price: string }} Product
 * @typedef {{ available: number, version: number }} Level
 */
import { buyOne } from "./buying.js";
import { Purchases } from "./purchases.js";

const LOW = 10;
// Of one product at a time: whoever clicks faster waits for the ledger
const ASKED_MAX = 5;

const number = new Intl.NumberFormat();

export class Card {
  /** @type {Level | null} */
  #level = null;
  /** @type {string | null} */
  #old = null;
  /** What the number says; null: not known. @type {number | null} */
  #shown = null;
  #purchases = new Purchases();
  #bought = 0;

  /**
   * @param {Product} product
   * @param {HTMLElement} list
   */
  constructor({ sku, name, price }, list) {
    this.sku = sku;
    this.name = name.toLowerCase();
    this.root = make("article", "card", list);
    this.root.dataset.sku = sku;
    make("h2", "", this.root, this.name);
    make("small", "", this.root, [price, sku].filter(Boolean).join(" · "));
    const stock = make("div", "stock", this.root);
    this.number = make("b", "", stock);
    this.unit = make("span", "", stock);
    this.button = make("button", "", this.root);
    this.button.type = "button";
    this.button.onclick = () => void this.#buy();
    this.note = make("div", "note", this.root);
    this.note.setAttribute("role", "status");
    this.#draw();
  }

  /** @param {Level} level  The newest, as the ledger has it. */
  show(level) {
    const before = this.#shown;
    this.#level = level;
    this.#draw();
    if (before !== null && this.#shown !== null && this.#shown !== before) this.#tick(this.#shown < before);
  }

  /** @param {string | null} old  When what is shown was true; null: now. */
  age(old) {
    this.#old = old;
    this.#draw();
  }

  // What a card shows follows from what it holds and from whether that is of now
  #draw() {
    const ahead = this.#level ? this.#purchases.ahead(this.#level.version, Date.now()) : 0;
    const shown = this.#level && Math.max(0, this.#level.available - ahead);
    this.#shown = shown;
    const old = this.#old !== null && shown !== null ? `at ${this.#old}` : "";
    this.root.dataset.level = shown === null ? "unknown" : shown === 0 ? "out" : shown < LOW ? "low" : "enough";
    this.root.toggleAttribute("data-old", old !== "");
    put(this.number, shown === null ? "…" : shown ? number.format(shown) : "Sold out");
    put(this.unit, [shown === null ? "not known yet" : shown ? "in stock" : "", old].filter(Boolean).join(" "));
    this.#drawButton(Boolean(shown), old);
  }

  /**
   * The ledger decides, also while this page is blind.
   *
   * @param {boolean} sellable
   * @param {string} old
   */
  #drawButton(sellable, old) {
    const text = sellable && old ? "Try to buy one" : "Buy one";
    if (put(this.button, text)) this.button.setAttribute("aria-label", `${text} ${this.name}`);
    this.button.disabled = !sellable || this.#purchases.asked >= ASKED_MAX;
  }

  /** @param {boolean} fell */
  #tick(fell) {
    const kind = fell ? "down" : "up";
    // Two names for one animation: a change of name begins it anew, without asking for a layout
    this.number.className = this.number.className === kind ? `${kind} again` : kind;
  }

  /** One click, one key, one unit, however often the line makes us repeat it. The number falls at once. */
  async #buy() {
    const key = crypto.randomUUID();
    this.#purchases.begin(key);
    this.note.textContent = "buying …";
    if (this.#level) this.show(this.#level);
    const outcome = await buyOne(this.sku, key);
    if (outcome.sold) {
      this.#bought++;
      this.#purchases.sold(key, outcome.version, Date.now());
    } else {
      this.#purchases.failed(key);
    }
    this.#draw();
    if (this.#purchases.asked) return;
    this.note.textContent = summary(this.#bought, outcome.sold ? "" : outcome.reason);
    this.#bought = 0;
  }
}

/**
 * @param {number} bought  By the clicks since nothing was asked.
 * @param {string} reason  Why the last of them got nothing.
 */
function summary(bought, reason) {
  if (!bought) return reason;
  return `bought${bought > 1 ? ` ${bought}` : ""}, ${reason ? `then: ${reason}` : "thank you"}`;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} name
 * @param {HTMLElement} parent
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(tag, name, parent, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return parent.appendChild(made);
}

/**
 * Whether it is news: what stays the same is not written, so that nothing is laid out again for it.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
function put(element, text) {
  if (element.textContent === text) return false;
  element.textContent = text;
  return true;
}
