// The launch on a wall: what is left, how fast it goes, whether anything is wrong. Read from across a room: few things,
// large.

import { clock, known, milliseconds, percent, rate, whole } from "../base/format.js";
import { classes, html } from "../base/html.js";
import { Bar } from "../parts/figure.js";
import { Known, Text, Ticking } from "../parts/text.js";
import { keyOf, leftOf, untilEmpty } from "./selling.js";

/** As many as can be read from there. */
const SKUS = 5;

/** @param {{app: import("../base/app.js").App, data: any}} props */
export function Wall({ app, data }) {
  const { totals } = data;
  const [first, ...others] = data.skus.slice(0, SKUS);
  const painted = app.paint.figures;
  return html`
    <div class="wall">
      ${first ? html`<${First} row=${first} />` : html`<p
        class="quiet">Nothing was sold in the last ${whole(data.window_s)} s</p>`}
      <ul class="others">${others.map((/** @type {any} */ row) => html`<${Other} key=${keyOf(row)} row=${row} />`)}</ul>
      <dl class="strip">
        <${Cell} name="oversold" text=${whole(totals.oversold)} why=${totals.unknown.oversold}
          tone=${totals.oversold === 0 ? "good" : known(totals.oversold) ? "bad" : "warn"} />
        <${Cell} name="sold a second" text=${rate(totals.sold_per_s)} why=${totals.unknown.sold_per_s} />
        <${Cell} name="refused a second" text=${rate(totals.refused_per_s)} why=${totals.unknown.refused_per_s} />
        <${Cell} name="screens" text=${whole(totals.screens)} why=${totals.unknown.screens} />
        <${Cell} name="commit to paint, p99" text=${milliseconds(painted.p99_ms)} unit="ms" why=${painted.why} />
      </dl>
      <p class=${classes("alarm", data.wrong.length ? "bad" : "good")}>
        ${data.wrong.length ? html`<b>${data.wrong.length} wrong:</b> <${Text}
          of=${data.wrong[0].what} />` : html`<b>Nothing is wrong</b>`}
        <time>${clock(data.at)}</time>
      </p>
    </div>`;
}

/** @param {{row: any}} props */
function First({ row }) {
  const { part, tone } = leftOf(row);
  return html`
    <section class="first" aria-labelledby="wall-first">
      <h2 id="wall-first"><${Text} of=${row.name || row.sku} /> <small><${Text} of=${row.location} /></small></h2>
      <p class="huge"><${Ticking} text=${whole(row.available)} tick=${row.ticks?.available} /><small>left of <${Known}
        text=${whole(row.had)} why=${row.unknown.had} /></small></p>
      <${Bar} part=${part} tone=${tone} label=${`${percent(row.available, row.had)} left`} />
      <p class="pace">${row.available === 0 ? html`<b class="bad">sold out</b>` : html`empty in <b><${Known}
        text=${untilEmpty(row)} why=${row.unknown.minutes_left} /></b>`} · <b><${Known} text=${rate(row.sold_per_s)}
          why=${row.unknown.sold_per_s} /></b> sold a second · <b><${Known} text=${whole(row.held)} /></b> held</p>
    </section>`;
}

/** @param {{row: any}} props */
function Other({ row }) {
  return html`
    <li><span class="name"><${Text} of=${row.name || row.sku} /></span>
      <span class="left"><b><${Ticking} text=${whole(row.available)}
        tick=${row.ticks?.available} /></b> <small>${row.available === 0 ? html`<span
          class="bad">sold out</span>` : html`of <${Known} text=${whole(row.had)} />, empty in <${Known}
            text=${untilEmpty(row)} />`}</small></span></li>`;
}

/** @param {{name: string, text: string, unit?: string, why?: string | null, tone?: string}} props */
function Cell({ name, text, unit, why, tone }) {
  return html`<div class=${tone}><dt>${name}</dt><dd><${Known} text=${text}
    why=${why} />${unit && text !== "not known" && html`<small> ${unit}</small>`}</dd></div>`;
}
