// Markup without a build: html`<${Part} name=${value} />` makes Preact's nodes. Text in them is text, never markup.
import htm from "../vendor/htm/htm.mjs";
import { h } from "../vendor/preact/preact.mjs";

/** @typedef {import("../vendor/preact/preact.mjs").ComponentChildren} Children */
/** @typedef {import("../vendor/preact/preact.mjs").VNode<any>} Node */

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h));

/**
 * Class names of those that hold.
 * @param {...(string | false | null | undefined)} names
 */
export function classes(...names) {
  return names.filter(Boolean).join(" ") || undefined;
}
