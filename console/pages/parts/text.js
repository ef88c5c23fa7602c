// Words that others wrote, and numbers that may not be known.

import { html } from "../base/html.js";
import { addressOf } from "../base/routes.js";
import { pieces } from "../base/marks.js";
import { NOT_KNOWN } from "../base/format.js";

/**
 * Other people's text: isolated, so that it turns nothing around it; marks that cannot be seen are named.
 * @param {{of: string}} props
 */
export function Text({ of }) {
  return html`<bdi>${pieces(of).map((piece) => (piece.mark ? html`<span class="mark"
    title="a character that cannot be seen">${piece.text}</span>` : piece.text))}</bdi>`;
}

/**
 * A number, or that it is not known and why. `why`: what the console says in `unknown`.
 * @param {{text: string, why?: string | null}} props
 */
export function Known({ text, why }) {
  if (text !== NOT_KNOWN) return text;
  return html`<span class="unknown" title=${why || undefined}>${NOT_KNOWN}${why && html`<span
    class="unseen">: ${why}</span>`}</span>`;
}

/**
 * A number that flashes when it has changed. Its key is new with each change: so the animation begins anew.
 * @param {{text: string, tick?: import("../base/answers.js").Tick, why?: string | null}} props
 */
export function Ticking({ text, tick, why }) {
  return html`<span key=${tick?.count ?? 0} class=${tick ? `tick ${tick.way}` : "tick"}><${Known} text=${text}
    why=${why} /></span>`;
}

/**
 * A level by its item's name, as a link to its page; below it what it is exactly. @param {{of: {sku: string,
 *   location: string, name?: string | null}}} props
 */
export function Subject({ of }) {
  return html`
    <a class="subject" href=${addressOf("level", { location: of.location, sku: of.sku })}><${Text}
      of=${of.name || of.sku} /></a>
    <small class="below"><${Text} of=${of.sku} /> · <${Text} of=${of.location} /></small>`;
}

/** An icon of the page's own; words stand beside it, or in its button's label. @param {{name: string}} props */
export function Icon({ name }) {
  return html`<svg class="icon" aria-hidden="true" width="16" height="16"><use href=${`/icons.svg#${name}`} /></svg>`;
}
