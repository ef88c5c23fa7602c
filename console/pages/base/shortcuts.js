// Keys and links of the whole page: links within the console change what is shown, without loading the page again.

import { meant, writesText } from "./keys.js";
import { PAGES } from "./routes.js";
import { THEMES } from "./theme.js";

const KEPT_AS = "stockwire-shortcuts";

export class Shortcuts {
  /** @param {import("./app.js").App} app */
  constructor(app) {
    this.app = app;
    /** @type {{key: string, at_ms: number} | null} */
    this.before = null;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const link = /** @type {HTMLElement} */ (event.target).closest?.("a[href^='/']");
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey
      || event.altKey) return;
    const address = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    event.preventDefault();
    history.pushState(null, "", address.pathname + address.search);
    this.app.follow();
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {any} */ (event.target);
    if (event.key !== "Escape" && (writesText(target) || !switchedOn())) return;
    const word = meant(event.key, this.before, Date.now());
    this.before = { key: event.key, at_ms: Date.now() };
    if (word && this.#does(word, target)) event.preventDefault();
  }

  /** @param {string} word @param {HTMLElement} target @returns {boolean} whether it meant something here */
  #does(word, target) {
    const { app } = this;
    if (!app.session?.signed_in) return false;
    const page = PAGES.find((known) => `g ${known.key}` === word);
    if (page) app.go(page.page);
    else if (word === "?") app.setHelp(!app.help);
    else if (word === "w") app.go("launch", { wall: app.route.args.wall ? "" : "1" });
    else if (word === "t") app.setTheme(THEMES[(THEMES.indexOf(app.theme) + 1) % THEMES.length] ?? "system");
    else if (word === "p" && app.route.page === "log") document.getElementById("pause")?.click();
    else if (word === "/") return this.#search();
    else if (word === "Esc") return this.#leave(target);
    else return false;
    return true;
  }

  #search() {
    const field = /** @type {HTMLInputElement | null} */ (document.querySelector("main input[type=search]"));
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  }

  /** @param {HTMLElement} target */
  #leave(target) {
    const { app } = this;
    if (app.help) app.setHelp(false);
    else if (app.route.args.wall) app.go("launch");
    else if (writesText(/** @type {any} */ (target))) target.blur();
    else return false;
    return true;
  }
}

/** Whether keys without Ctrl are shortcuts. */
export function switchedOn() {
  try {
    return localStorage.getItem(KEPT_AS) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} on */
export function switchTo(on) {
  try {
    localStorage.setItem(KEPT_AS, on ? "on" : "off");
  } catch {
    // storage is switched off: they stay on
  }
}
