// Light, dark, or as the system has it. The choice is this browser's and stays in it.

const KEPT_AS = "stockwire-theme";
/** @typedef {"system" | "light" | "dark"} Theme */
/** @type {Theme[]} */
export const THEMES = ["system", "light", "dark"];

/** @returns {Theme} */
export function chosen() {
  try {
    const kept = /** @type {Theme} */ (localStorage.getItem(KEPT_AS) ?? "system");
    return THEMES.includes(kept) ? kept : "system";
  } catch {
    return "system";   // storage is switched off: the choice lasts as long as the page
  }
}

/** @param {Theme} theme */
export function choose(theme) {
  try {
    localStorage.setItem(KEPT_AS, theme);
  } catch {
    // as above
  }
  apply(theme);
}

/** @param {Theme} theme */
export function apply(theme) {
  const system = theme === "system" || matchMedia("(forced-colors: active)").matches;   // charts keep our colours
  document.documentElement.dataset.theme = system ? (dark().matches ? "dark" : "light") : theme;
}

/** What is on the screen: one that follows the system has two faces. @returns {string} */
export const shown = () => document.documentElement.dataset.theme ?? "light";

/** Follows the system while nothing else is chosen. @param {() => void} changed */
export function follow(changed) {
  apply(chosen());
  dark().addEventListener("change", () => {
    apply(chosen());
    changed();
  });
}

const dark = () => matchMedia("(prefers-color-scheme: dark)");
