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

  /** @param {Event} event of a row, whichever stands there by now */
  indexOf(event) {
    return [...(this.body?.children ?? [])].indexOf(/** @type {HTMLElement} */ (event.currentTarget));
  }

  /** @param {number} index */
  enter(index) {
    if (index >= 0 && index !== this.state.at) this.setState({ at: index });
  }

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
            ${rows.map((row, index) => html`<${Line} key=${keyOf(row)} row=${row} columns=${columns}
              tone=${classes(tone?.(row), onOpen && "opens")} entered=${index === at} table=${this} />`)}
          </tbody>
        </table>
      </div>`;
  }
}

/**
 * @typedef {{row: any, columns: Column[], tone: string | undefined, entered: boolean, table: Table}} LineProps
 * `entered`: it is the one in the tab order
 */

/** One row. Drawn again only if it is another one: of a tail all others are as they were. @extends {Component<LineProps>} */
class Line extends Component {
  /** @param {LineProps} next */
  shouldComponentUpdate(next) {
    const { row, columns, tone, entered } = this.props;
    return row !== next.row || columns !== next.columns || tone !== next.tone || entered !== next.entered;
  }

  /** @param {LineProps} props */
  render({ row, columns, tone, entered, table }) {
    return html`
      <tr class=${tone} tabindex=${entered ? 0 : -1}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => table.key(event, table.indexOf(event))}
        onFocus=${(/** @type {FocusEvent} */ event) => table.enter(table.indexOf(event))}>
        ${columns.map((column, place) => cellOf(column, row, place === 0))}
      </tr>`;
  }
}

/** @param {Column} column @param {any} row @param {boolean} first */
function cellOf(column, row, first) {
  const inside = column.cell(row);
  const props = { class: classes(column.number && "number", column.wide && "wide"),
    "data-label": column.label ?? (typeof column.head === "string" ? column.head : "") };
  return first ? html`<th scope="row" ...${props}>${inside}</th>` : html`<td ...${props}>${inside}</td>`;
}
