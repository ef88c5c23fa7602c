// A table that is walked through by keys: one row is in the tab order, arrows move on from it, Enter opens it.

import { classes, html } from "../base/html.js";
import { moved } from "../base/rows.js";
import { Component } from "../vendor/preact/preact.mjs";

const PAGE_ROWS = 10;

/**
 * @typedef {{name: string, head: any, number?: boolean, cell: (row: any) => any, wide?: boolean,
 *   label?: string}} Column
 * `label`: what stands before the cell where the table is a list, on a narrow screen
 */

/**
 * @typedef {{
 *   label: string, columns: Column[], rows: any[], keyOf: (row: any) => string,
 *   onOpen?: (row: any) => void, tone?: (row: any) => string, empty?: any,
 * }} Props
 * `onOpen`: a cell of the row should have a link that does the same
 */

/** @extends {Component<Props, {at: number}>} */
export class Table extends Component {
  state = { at: 0 };

  /** @param {KeyboardEvent} event @param {number} index */
  key = (event, index) => {
    if (/** @type {HTMLElement} */ (event.target).tagName !== "TR") return;
    const row = this.props.rows[index];
    if (event.key === "Enter" && this.props.onOpen && row) return this.props.onOpen(row);
    const to = moved(event.key, index, PAGE_ROWS, this.props.rows.length);
    if (to === null) return;
    event.preventDefault();
    this.setState({ at: to }, () => this.focus(to));
  };

  /** @param {number} index */
  focus(index) {
    const body = /** @type {HTMLElement | null} */ (this.body);
    /** @type {HTMLElement | undefined} */ (body?.children[index])?.focus();
  }

  /** @type {HTMLElement | null} */
  body = null;

  /** @param {Props} props */
  render({ label, columns, rows, keyOf, tone, empty, onOpen }) {
    if (!rows.length) return empty ?? null;
    const at = Math.min(this.state.at, rows.length - 1);
    return html`
      <div class="table" role="group" aria-label=${label} tabindex="0">
        <table class="stacks">
          <thead><tr>${columns.map((column) => html`<th scope="col"
            class=${classes(column.number && "number")}>${column.head}</th>`)}</tr></thead>
          <tbody ref=${(/** @type {HTMLElement | null} */ body) => { this.body = body; }}>
            ${rows.map((row, index) => html`
              <tr key=${keyOf(row)} class=${classes(tone?.(row), onOpen && "opens")} tabindex=${index === at ? 0 : -1}
                  onKeyDown=${(/** @type {KeyboardEvent} */ event) => this.key(event, index)}
                  onFocus=${() => index !== at && this.setState({ at: index })}>
                ${columns.map((column, place) => cellOf(column, row, place === 0))}
              </tr>`)}
          </tbody>
        </table>
      </div>`;
  }
}

/** @param {Column} column @param {any} row @param {boolean} first */
function cellOf(column, row, first) {
  const inside = column.cell(row);
  const props = { class: classes(column.number && "number", column.wide && "wide"),
    "data-label": column.label ?? (typeof column.head === "string" ? column.head : "") };
  return first ? html`<th scope="row" ...${props}>${inside}</th>` : html`<td ...${props}>${inside}</td>`;
}
