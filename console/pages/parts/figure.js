// A number with its name, as large as it matters; and a bar that says what part of the whole is left.

import { classes, html } from "../base/html.js";
import { Known } from "./text.js";

/** @typedef {"good" | "warn" | "bad" | ""} Tone */

/**
 * `note`: what stands below. `tone` colours it; `says` is what the colour says, in words.
 * @param {{name: string, text: string, unit?: string, note?: any, tone?: Tone, says?: string, why?: string | null,
 *   large?: boolean}} props
 */
export function Figure({ name, text, unit, note, tone = "", says, why, large }) {
  return html`
    <div class=${classes("figure", large && "large", tone)}>
      <dt>${name}</dt>
      <dd>
        <span class="value"><${Known} text=${text} why=${why} />${unit && text !== "not known"
          && html` <small>${unit}</small>`}</span>
        ${says && html`<${Pill} tone=${tone} text=${says} />`}
        ${note && html`<span class="note">${note}</span>`}
      </dd>
    </div>`;
}

/** A state in a word: its colour repeats what the word says. @param {{text: string, tone?: Tone}} props */
export function Pill({ text, tone = "" }) {
  return html`<span class=${classes("pill", tone)}><span class="dot" aria-hidden="true"></span>${text}</span>`;
}

/**
 * @param {{part: number | null | undefined, label: string, tone?: Tone}} props `part`: 0 to 1
 */
export function Bar({ part, label, tone = "" }) {
  if (typeof part !== "number") return null;
  const inside = Math.max(0, Math.min(1, part));
  return html`
    <span class=${classes("bar", tone)} role="img" aria-label=${label}>
      <span style=${{ width: `${(100 * inside).toFixed(1)}%` }}></span>
    </span>`;
}

/**
 * A part of a page under a heading.
 * @param {{title: string, id: string, aside?: any, class?: string, children?: any}} props
 */
export function Panel({ title, id, aside, class: more, children }) {
  return html`
    <section class=${classes("panel", more)} aria-labelledby=${id}>
      <header><h2 id=${id}>${title}</h2>${aside}</header>
      ${children}
    </section>`;
}

/** What stands where there is nothing, and why that is. @param {{children?: any}} props */
export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;
