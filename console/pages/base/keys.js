// Shortcuts of single keys. Pure. They can be switched off: whoever dictates must not trigger them by speaking.

/** @typedef {{keys: string, does: string}} Shortcut */

/** A second key counts if it comes within this time. */
export const SECOND_KEY_MS = 1_500;

/** @type {Shortcut[]} */
export const SHORTCUTS = [
  { keys: "/", does: "search, or the first filter" },
  { keys: "g l", does: "Launch" },
  { keys: "g s", does: "Stock" },
  { keys: "g o", does: "Log" },
  { keys: "g n", does: "Nodes" },
  { keys: "g p", does: "Problems" },
  { keys: "g h", does: "Holds" },
  { keys: "w", does: "wall mode: to be read from across a room" },
  { keys: "p", does: "pause the log, and go on" },
  { keys: "t", does: "light, dark, as the system" },
  { keys: "?", does: "this list" },
  { keys: "Esc", does: "close, leave the wall or a field" },
  { keys: "↑ ↓ PgUp PgDn Home End", does: "move through a table" },
  { keys: "Enter", does: "open what is marked in a table" },
];

/**
 * What a key means, together with the one before it. `first`: it may begin a pair.
 * @param {string} key
 * @param {{key: string, at_ms: number} | null} before
 * @param {number} now_ms
 * @returns {string | null} as SHORTCUTS has it
 */
export function meant(key, before, now_ms) {
  if (before && now_ms - before.at_ms <= SECOND_KEY_MS && before.key === "g") {
    const pair = `g ${key}`;
    return SHORTCUTS.some((shortcut) => shortcut.keys === pair) ? pair : null;
  }
  const word = key === "Escape" ? "Esc" : key;
  return SHORTCUTS.some((shortcut) => shortcut.keys === word) ? word : null;
}

/** Where keys write text, they are no shortcuts. @param {{tagName?: string, type?: string} | null} target */
export function writesText(target) {
  if (!target) return false;
  if (target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target.tagName === "INPUT" && !["checkbox", "radio", "button"].includes(target.type ?? "");
}
