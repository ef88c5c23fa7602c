/** Buttons that cannot be pressed while what they sell is sold out. */

/** @typedef {{by: Set<HTMLElement>, found: boolean, described: string | null}} Held what a button was like when it was found */

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
    watching.observe(document, {
      subtree: true,
      childList: true,
      attributeFilter: ["id", "disabled", "aria-disabled"],
    });
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
  const before = held.get(button) ?? {
    by: badges,
    found: button.hasAttribute(attribute),
    described: button.getAttribute("aria-describedby"),
  };
  // Somebody else let go of it meanwhile: so it is to be when this is over
  if (held.has(button) && !button.hasAttribute(attribute)) before.found = false;
  held.set(button, { ...before, by: badges });
  button.setAttribute(attribute, attribute === "disabled" ? "" : "true");
  const reasons = [...badges].map((badge) => (badge.id ||= `stock-badge-${++named}`));
  button.setAttribute("aria-describedby", [before.described, ...reasons].filter(Boolean).join(" "));
}

/** @param {Element} button
 * @param {Held} before */
function restore(button, { found, described }) {
  held.delete(button);
  if (!found) button.removeAttribute(attributeOf(button));
  if (described === null) button.removeAttribute("aria-describedby");
  else button.setAttribute("aria-describedby", described);
}
