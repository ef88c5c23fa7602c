// Stock: every sku by location. Of a hundred thousand rows only those in sight are asked for, and only they are drawn.

import { clock, NOT_KNOWN, when, whole } from "../base/format.js";
import { classes, html } from "../base/html.js";
import { plain } from "../base/marks.js";
import { addressOf } from "../base/routes.js";
import { askedFor, inSight, moved, scrolledTo } from "../base/rows.js";
import { Component } from "../vendor/preact/preact.mjs";
import { Known, Text, Ticking } from "../parts/text.js";

/** A question asks for whole steps of so many rows, so that scrolling by one row asks nothing new. */
const STEP = 20;
const ROWS_MAX = 200;
const FIRST = { first: 0, count: 60 };
/** The height of a row in rem until style/stock.css is asked, which has another for narrow screens. */
const ROW_REM = 2.75;

/** @type {import("../base/app.js").Asks} */
export function asks({ args }, ui) {
  const { first, count } = askedFor(ui.span ?? FIRST, STEP, ROWS_MAX);
  const { search = "", location = "", sort = "sku", order = "" } = args;
  return { topic: "stock", args: { search, sort, location, descending: order === "down", offset: first, limit: count,
    locations: [] } };
}

/** @typedef {{app: import("../base/app.js").App, data: any}} Props */

/** @param {Props} props */
export function Stock({ app, data }) {
  const { args } = app.route;
  const set = (/** @type {Record<string, string>} */ patch) => {
    document.querySelector(".grid")?.scrollTo(0, 0);
    app.uis.stock = {};
    app.go("stock", { ...args, ...patch }, { replace: true });
  };
  return html`
    <form class="filters" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label class="grow"><span>Search</span>
        <input type="search" value=${args.search ?? ""} placeholder="sku or name" autocomplete="off" spellcheck=${false}
          onInput=${(/** @type {any} */ event) => set({ search: event.target.value })} /></label>
      <label><span>Location</span>
        <select value=${args.location ?? ""} onChange=${(/** @type {any} */ event) =>
          set({ location: event.target.value })}>
          <option value="">all</option>
          ${locationsOf(app, data).map((location) => html`<option key=${location}
            value=${location}>${plain(location)}</option>`)}
        </select></label>
      <p class="count" role="status">${countOf(data)}</p>
    </form>
    <${Grid} app=${app} data=${data} set=${set} />`;
}

/** @param {any} data */
function countOf({ matching, skus, levels, more_locations }) {
  const more = more_locations > 0 ? ` · ${more_locations} more locations: choose one` : "";
  return `${whole(matching)} of ${whole(skus)} skus · ${whole(levels)} levels${more}`;
}

/** @param {import("../base/app.js").App} app @param {any} data @returns {string[]} */
function locationsOf(app, data) {
  const all = new Set([...(app.catalogue?.locations.map((one) => one.location) ?? []), ...data.locations,
    app.route.args.location]);
  return [...all].filter((location) => location !== undefined).sort();
}

/** @typedef {Props & {set: (patch: Record<string, string>) => void}} GridProps */

/**
 * One cell is in the tab order; arrows move from cell to cell, and the rows follow.
 * @extends {Component<GridProps, {row: number, column: number}>}
 */
class Grid extends Component {
  state = { row: 0, column: 0 };
  /** @type {HTMLElement | null} */
  scroller = null;
  /** @type {ResizeObserver | null} */
  observer = null;
  drawn_px = 0;
  awaited = false;

  get row_px() {
    const rem_px = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const told = this.scroller ? parseFloat(getComputedStyle(this.scroller).getPropertyValue("--row-rem")) : ROW_REM;
    return rem_px * (told || ROW_REM);
  }

  /** The cell that is in the tab order: of fewer rows or columns the last one. */
  get at() {
    const { matching, locations } = this.props.data;
    return { row: Math.max(0, Math.min(this.state.row, matching - 1)),
      column: Math.min(this.state.column, locations.length) };
  }

  componentDidMount() {
    this.observer = new ResizeObserver(() => this.look());
    if (this.scroller) this.observer.observe(this.scroller);
  }

  componentWillUnmount() {
    this.observer?.disconnect();
  }

  look = () => {
    const { scroller, props: { app, data } } = this;
    if (!scroller) return;
    const span = inSight(scroller.scrollTop, scroller.clientHeight, this.row_px, data.matching);
    const before = app.uis.stock?.span;
    if (before?.first !== span.first || before?.count !== span.count) app.remember({ span });
    else if (this.drawn_px !== this.row_px) this.setState({});   // narrower, or larger type: rows have another height
  };

  /** @param {KeyboardEvent} event */
  key = (event) => {
    const { data } = this.props;
    const { scroller } = this;
    if (!scroller || !(/** @type {HTMLElement} */ (event.target).dataset.column)) return;
    let { row, column } = this.at;
    if (event.key === "ArrowRight") column = Math.min(data.locations.length, column + 1);
    else if (event.key === "ArrowLeft") column = Math.max(0, column - 1);
    else {
      const to = moved(event.key, row, Math.max(1, Math.floor(scroller.clientHeight / this.row_px) - 2), data.matching);
      if (to === null) return;
      row = to;
    }
    event.preventDefault();
    this.setState({ row, column }, () => this.focus());
  };

  focus() {
    const { scroller, at } = this;
    if (!scroller) return;
    const head_px = scroller.querySelector(".head")?.clientHeight ?? 0;
    const to = scrolledTo(at.row, scroller.scrollTop, scroller.clientHeight - head_px, this.row_px);
    if (to !== null) scroller.scrollTop = to;
    this.look();
    this.awaited = true;
    this.componentDidUpdate();
  }

  /** A row far away has to come first. */
  componentDidUpdate() {
    const { row, column } = this.at;
    if (!this.awaited) return;
    const cell = this.scroller?.querySelector(`[data-row="${row}"][data-column="${column}"]`);
    if (!cell) return;
    this.awaited = false;
    /** @type {HTMLElement} */ (cell).focus({ preventScroll: true });
  }

  /** @param {GridProps} props */
  render({ app, data, set }) {
    const row_px = this.drawn_px = this.row_px;
    const span = app.uis.stock?.span ?? FIRST;
    const last = Math.min(data.matching, span.first + span.count);
    const indices = Array.from({ length: Math.max(0, last - span.first) }, (_, place) => span.first + place);
    const { at } = this;
    if (at.row < data.matching && !indices.includes(at.row)) indices.push(at.row);   // keeps the focus
    return html`
      <div class="grid" role="grid" aria-label="Stock by sku and location" aria-rowcount=${data.matching + 1}
        aria-colcount=${data.locations.length + 2}
           style=${{ "--places": String(data.locations.length) }} onScroll=${this.look} onKeyDown=${this.key}
           ref=${(/** @type {HTMLElement | null} */ scroller) => { this.scroller = scroller; }}>
        <div role="rowgroup" class="head"><${Head} app=${app} data=${data} set=${set} /></div>
        <div role="rowgroup" class="rows" style=${{ height: `${data.matching * row_px}px` }}>
          ${indices.map((index) => html`<${Row} key=${index} index=${index} row=${data.rows[index - data.offset]}
            top=${index * row_px}
            locations=${data.locations} only=${app.route.args.location}
              at=${at.row === index ? at.column : null}
            onFocus=${(/** @type {number} */ column) => this.setState({ row: index, column })} />`)}
        </div>
      </div>
      ${data.matching === 0 && html`<p class="empty">No sku or name contains this${app.route.args.location
        ? " at this location" : ""}.</p>`}`;
  }
}

/** @param {GridProps} props */
function Head({ app, data, set }) {
  const { sort = "sku", order = "" } = app.route.args;
  const by = (/** @type {string} */ name) => () => set({ sort: name, order: sort === name && order !== "down" ? "down"
    : "" });
  const column = (/** @type {string} */ name, /** @type {string} */ label, number = true) => html`
    <button type="button" class="plain" onClick=${by(name)}>${label}<span
      aria-hidden="true">${sort === name ? (order === "down" ? " ↓" : " ↑") : ""}</span></button>`;
  const sorted = (/** @type {string[]} */ ...names) => (names.includes(sort) ? (order === "down" ? "descending"
    : "ascending") : undefined);
  return html`
    <div role="row" aria-rowindex="1" class="row">
      <div role="columnheader" class="sku" aria-sort=${sorted("sku", "name", "changed")}>${column("sku", "Sku",
        false)}${column("name", "Name", false)}${column("changed", "Changed", false)}</div>
      <div role="columnheader" class="number available" aria-sort=${sorted("available")}>${column("available", "Available")}</div>
      ${data.locations.map((/** @type {string} */ location) => html`<div role="columnheader" class="number place"
        key=${location}><${Text} of=${location} /></div>`)}
    </div>`;
}

/**
 * @param {{index: number, row: any, top: number, locations: string[], only?: string, at: number | null,
 *   onFocus: (column: number) => void}} props
 * `row` undefined: on its way. `at`: the column that is in the tab order; null: none of this row
 */
function Row({ index, row, top, locations, only, at, onFocus }) {
  const place = { transform: `translateY(${top}px)` };
  if (!row) return html`<div role="row" aria-rowindex=${index + 2} class="row waits" style=${place}><div
    role="gridcell" class="sku">…</div></div>`;
  const home = only || (locations.find((_, column) => row.cells[column]) ?? locations[0] ?? "");
  const link = (/** @type {number} */ column) => ({
    "data-row": index, "data-column": column, tabindex: at === column ? 0 : -1, onFocus: () => at !== column
      && onFocus(column),
  });
  return html`
    <div role="row" aria-rowindex=${index + 2} class=${classes("row", row.available === 0 && "out")} style=${place}>
      <div role="gridcell" class="sku">
        <a href=${addressOf("level", { location: home, sku: row.sku })} ...${link(0)}
          title=${plain(row.name || row.sku)}><${Text} of=${row.name || row.sku} /></a>
        <small><span class="code"><${Text} of=${row.sku} /></span> · changed <${Known}
          text=${row.committed_at ? when(row.committed_at, Date.now()) : NOT_KNOWN} why="it has never moved" /></small>
      </div>
      <div role="gridcell" class="number"><b><${Ticking} text=${whole(row.available)}
        tick=${row.ticks?.available} /></b><small>${row.reserved ? `${whole(row.reserved)} held` : ""}</small></div>
      ${row.cells.map((/** @type {any} */ cell, /** @type {number} */ column) => html`
        <div role="gridcell" class="number" key=${locations[column]}>
          <a href=${addressOf("level", { location: locations[column], sku: row.sku })} ...${link(column + 1)}
            title=${saidOf(cell)}>
            ${cell ? html`<${Ticking} text=${whole(cell.available)}
              tick=${row.ticks?.[`cell ${column}`]} />` : html`<span class="soft"
                aria-label="nothing yet">–</span>`}</a>
          <small>${cell?.reserved ? `${whole(cell.reserved)} held` : ""}</small>
        </div>`)}
    </div>`;
}

/** @param {any} cell */
function saidOf(cell) {
  if (!cell) return "nothing has ever moved there";
  const changed = cell.committed_at ? clock(cell.committed_at) : "never";
  return `version ${cell.version}, ${whole(cell.on_hand)} on hand, ${whole(cell.reserved)} held, changed ${changed}`;
}
