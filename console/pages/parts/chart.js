// Lines over time, drawn by uPlot on a canvas, and the same numbers as a table for whoever reads instead of looks.

import { clock } from "../base/format.js";
import { html } from "../base/html.js";
import { Component } from "../vendor/preact/preact.mjs";

/**
 * uPlot is released minified as a script alone, half as heavy as its module: index.html loads it first, and it is a
 *   global.
 */
const { uPlot } = /** @type {{uPlot: typeof import("uplot")}} */ (/** @type {unknown} */ (globalThis));

/** Rows of the table of numbers: the newest. */
const TABLE_ROWS = 30;

/**
 * @typedef {{name: string, field: string, color: 1 | 2 | 3 | 4,
 *   write: (value: number | null | undefined) => string}} Line
 * @typedef {{title: string, lines: Line[], points: any[], height?: number, theme: string, stepped?: boolean}} Props
 * `points`: oldest first, each with `at`; what is null leaves a gap
 */

/** @extends {Component<Props, {open: boolean}>} `open`: whoever wants to reads the numbers */
export class Chart extends Component {
  state = { open: false };
  /** @type {HTMLElement | null} */
  place = null;
  /** @type {import("uplot") | null} */
  plot = null;
  /** @type {ResizeObserver | null} */
  observer = null;
  theme = "";

  componentDidMount() {
    this.make();
    this.observer = new ResizeObserver(() => this.fit());
    if (this.place) this.observer.observe(this.place);
  }

  /** Points come once a second, other news of its page more often. @param {Props} next @param {{open: boolean}} state */
  shouldComponentUpdate(next, state) {
    const { points, theme } = this.props;
    return points !== next.points || theme !== next.theme || this.state.open !== state.open;
  }

  componentDidUpdate() {
    if (this.theme !== this.props.theme) this.make();
    else this.plot?.setData(columnsOf(this.props));
  }

  componentWillUnmount() {
    this.observer?.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  make() {
    this.plot?.destroy();
    this.theme = this.props.theme;
    if (this.place) this.plot = new uPlot(optionsOf(this.props, this.place), columnsOf(this.props), this.place);
  }

  fit() {
    const { place, plot } = this;
    if (place && plot && place.clientWidth
      && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: plot.height });
  }

  /** @param {Props} props @param {{open: boolean}} state */
  render(props, { open }) {
    const { title, lines, points } = props;
    return html`
      <figure class="chart">
        <figcaption>
          <span class="title">${title}</span>
          <ul class="legend">${lines.map((line) => html`<li class=${`series-${line.color}`}><span class="swatch"
            aria-hidden="true"></span>${line.name} <b>${line.write(points.at(-1)?.[line.field])}</b></li>`)}</ul>
        </figcaption>
        <div class="plot" role="img" aria-label=${`${title}: ${lines.map((line) => summed(line, points)).join("; ")}`}
             ref=${(/** @type {HTMLElement | null} */ place) => { this.place = place; }}></div>
        <details class="numbers" onToggle=${(/** @type {any} */ event) => this.setState({ open: event.target.open })}>
          <summary>The numbers as a table</summary>${open && numbers(props)}</details>
      </figure>`;
  }
}

/** @param {Line} line @param {any[]} points */
function summed(line, points) {
  const values = points.map((point) => point[line.field]).filter((value) => typeof value === "number");
  if (!values.length) return `${line.name} not known`;
  const { name, write } = line;
  const now = write(points.at(-1)?.[line.field]);
  return `${name} now ${now}, least ${write(Math.min(...values))}, most ${write(Math.max(...values))}`;
}

/** @param {Props} props */
function numbers({ title, lines, points }) {
  return html`
    <div class="table" role="group" aria-label=${`${title}, as a table`} tabindex="0">
      <table>
        <thead><tr><th scope="col">Time</th>${lines.map((line) => html`<th scope="col"
          class="number">${line.name}</th>`)}</tr></thead>
        <tbody>${points.slice(-TABLE_ROWS).reverse().map((point) => html`
          <tr><th scope="row">${clock(point.at)}</th>${lines.map((line) => html`<td
            class="number">${line.write(point[line.field])}</td>`)}</tr>`)}</tbody>
      </table>
    </div>`;
}

/** @param {Props} props @returns {import("uplot").AlignedData} */
function columnsOf({ lines, points }) {
  const times = points.map((point) => Date.parse(point.at) / 1000);
  return /** @type {import("uplot").AlignedData} */ ([times,
    ...lines.map((line) => points.map((point) => point[line.field] ?? null))]);
}

/** @param {Props} props @param {HTMLElement} place @returns {import("uplot").Options} */
function optionsOf({ lines, height = 140, stepped }, place) {
  const style = getComputedStyle(place);
  const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { show: false }, gap: 6,
    font: "11px system-ui, sans-serif" };
  return {
    width: place.clientWidth || 320,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.1)] } },
    axes: [
      { ...axis, space: 70, size: 26, values: (_plot, ticks) => ticks.map((tick) => clock(tick * 1000)) },
      { ...axis, size: 44, space: 28 },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        stroke: color(`--series-${line.color}`), width: 1.75, points: { show: false },
        ...(stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      })),
    ],
  };
}
