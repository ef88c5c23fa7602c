// Fields that narrow a page down. What they are set to stands in the address: it can be sent to somebody.

import { html } from "../base/html.js";
import { plain } from "../base/marks.js";
import { spoken } from "../base/format.js";

/**
 * @typedef {{name: string, label: string, options?: string[] | null, all?: string, hint?: string}} Field `options`:
 *   to choose from; else it is typed
 */

/**
 * @param {{label: string, fields: Field[], args: Record<string, string>, onSet: (patch: Record<string,
 *   string>) => void, children?: any}} props
 */
export function Filters({ label, fields, args, onSet, children }) {
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => onSet({ [name]: event.target.value });
  const narrowed = fields.some((field) => args[field.name]);
  return html`
    <form class="filters" role="search" aria-label=${label} onSubmit=${(/** @type {Event} */ event) =>
      event.preventDefault()}>
      ${fields.map(({ name, label: text, options, all, hint }) => html`
        <label key=${name}><span>${text}</span>${options ? html`
          <select value=${args[name] ?? ""} onChange=${set(name)}>
            <option value="">${all ?? "all"}</option>
            ${withChosen(options, args[name]).map((option) => html`<option key=${option}
              value=${option}>${plain(spoken(option))}</option>`)}
          </select>` : html`
          <input type="search" value=${args[name] ?? ""} placeholder=${hint ?? "any"} autocomplete="off"
            spellcheck=${false} onInput=${set(name)} />`}</label>`)}
      ${narrowed && html`<button type="button" class="plain"
        onClick=${() => onSet(Object.fromEntries(fields.map((field) => [field.name, ""])))}>Clear</button>`}
      ${children}
    </form>`;
}

/** @param {string[]} options @param {string | undefined} chosen */
const withChosen = (options, chosen) => (chosen && !options.includes(chosen) ? [...options, chosen] : options);
