/** Buttons that cannot be pressed while what they sell is sold out. */

/** @typedef {{by: Set<HTMLElement>, found: boolean, said: string[]}} Held by which badges, and what it was like when it was found */

/** @type {Map<HTMLElement, string>} the badges that hold a button, with its id */
const wanted = new Map();
/** @type {Map<Element, Held>} */
const held = new Map();
/** @type {MutationObserver | undefined} while a badge holds one: it may appear later, and a theme may let go of it */
let watching;
let named = 0;

/** @param {HTMLElement} badge what is said there is the reason
 * @param {string} id of the button */
export function hold(badge, id) {
  if (wanted.get(badge) === id) return;
  wanted.set(badge, id);
  settle();
}

/** @param {HTMLElement} badge */
export function release(badge) {
  if (wanted.delete(badge)) settle();
}

function settle() {
  watching ??= new MutationObserver(settle);
  watching.disconnect(); // nor is it told of what is done here
  /** @type {Map<Element, Set<HTMLElement>>} */
  const now = new Map();
  for (const [badge, id] of wanted) {
    const button = buttonOf(badge, id);
    if (button) now.set(button, (now.get(button) ?? new Set()).add(badge));
  }
  for (const [button, before] of held) if (!now.has(button)) restore(button, before);
  for (const [button, badges] of now) disable(button, badges);
  if (wanted.size) {
    const roots = new Set([document, ...[...wanted.keys()].map((badge) => badge.getRootNode())]);
    const changes = { subtree: true, childList: true, attributeFilter: ["id", "disabled", "aria-disabled"] };
    for (const root of roots) watching.observe(root, changes);
  }
}

/** @param {HTMLElement} badge
 * @param {string} id */
function buttonOf(badge, id) {
  const root = /** @type {Document | ShadowRoot} */ (badge.getRootNode());
  return root.getElementById?.(id) ?? document.getElementById(id);
}

/** @param {Element} button
 * @returns {string} the attribute that says it cannot be pressed */
const attributeOf = (button) => ("disabled" in button ? "disabled" : "aria-disabled");

/** @param {Element} button
 * @param {Set<HTMLElement>} badges */
function disable(button, badges) {
  const attribute = attributeOf(button);
  const before = held.get(button) ?? { by: badges, found: button.hasAttribute(attribute), said: saidOf(button) };
  // Somebody else let go of it meanwhile: so it is to be when this is over
  if (held.has(button) && !button.hasAttribute(attribute)) before.found = false;
  held.set(button, { ...before, by: badges });
  button.setAttribute(attribute, attribute === "disabled" ? "" : "true");
  describe(button, before, [...badges].map((badge) => (badge.id ||= `stock-badge-${++named}`)));
}

/** @param {Element} button */
const saidOf = (button) => button.getAttribute("aria-describedby")?.split(" ") ?? [];

/** What others say of it meanwhile stays.
 * @param {Element} button
 * @param {Held} before whose reasons are taken away
 * @param {string[]} reasons */
function describe(button, { by, said }, reasons) {
  const old = [...by].map(({ id }) => id).filter((id) => !said.includes(id));
  const text = [...new Set([...saidOf(button).filter((id) => !old.includes(id)), ...reasons])].join(" ");
  if (text) button.setAttribute("aria-describedby", text);
  else button.removeAttribute("aria-describedby");
}

/** @param {Element} button
 * @param {Held} before */
function restore(button, before) {
  held.delete(button);
  if (!before.found) button.removeAttribute(attributeOf(button));
  describe(button, before, []);
}
