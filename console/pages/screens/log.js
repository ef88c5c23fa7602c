// Log: every event as it is committed, newest on top. It can be held still, narrowed down, and followed back.

import { counted, rate, when, whole } from "../base/format.js";
import { classes, html } from "../base/html.js";
import { TAIL_MAX } from "../base/answers.js";
import { Button } from "../parts/button.js";
import { Empty, Pill } from "../parts/figure.js";
import { Filters } from "../parts/filters.js";
import { Table } from "../parts/table.js";
import { Known } from "../parts/text.js";
import { keyOf, OF_ALL } from "./events.js";

/** @type {import("../base/app.js").Asks} */
export function asks({ args }, ui) {
  const { sku = "", location = "", actor = "", kind = "", operation = "" } = args;
  return { topic: "log", args: { sku, location, actor, kind, operation, limit: TAIL_MAX, before: ui.before ?? null } };
}

/** @param {{app: import("../base/app.js").App, data: any}} props */
export function Log({ app, data }) {
  const { args } = app.route;
  const { ui } = app;
  const shown = ui.held ?? data;
  const set = (/** @type {Record<string, string>} */ patch) => {
    app.uis.log = {};
    app.go("log", { ...args, ...patch }, { replace: true });
  };
  return html`
    <${Filters} label="Narrow the log down" args=${args} onSet=${set} fields=${[
      { name: "sku", label: "Sku" },
      { name: "location", label: "Location", options: app.catalogue?.locations.map((one) => one.location) },
      { name: "actor", label: "Who" },
      { name: "kind", label: "Kind", options: app.catalogue?.kinds },
      { name: "operation", label: "Operation" },
    ]} />
    <div class="tail">
      <button id="pause" type="button" aria-pressed=${Boolean(ui.held)}
        onClick=${() => app.remember(ui.held || ui.before ? { held: null, before: null } : { held: data,
          before: null })}>
        ${ui.held || ui.before ? "Go on live" : "Pause"}</button>
      <${Button} off=${!shown.next} onClick=${() => app.remember({ held: null, before: shown.next })}>Further back<//>
      <${Pill} ...${state(ui)} />
      <p class="count">${status(shown, data, ui)}</p>
    </div>
    <${Table} label="Events, newest first" columns=${OF_ALL} rows=${shown.events} keyOf=${keyOf}
      empty=${html`<${Empty}>${Object.keys(args).length ? "No event matches among those that were looked at."
        : "Nothing has been committed yet."}<//>`} />
    ${shown.events.length > 0 && html`<p class=${classes("note")}>Looked at the newest ${counted(shown.looked_at,
      "event")}${shown.looked_back_to && `, back to ${when(shown.looked_back_to, Date.parse(shown.at))}`}.</p>`}`;
}

/** @param {any} ui @returns {{text: string, tone: "good" | "warn" | ""}} */
function state(ui) {
  if (ui.held) return { text: "held still", tone: "warn" };
  return ui.before ? { text: "older events, not live", tone: "warn" } : { text: "live tail", tone: "good" };
}

/** @param {any} shown @param {any} data @param {any} ui */
function status(shown, data, ui) {
  const newer = ui.held ? newerThan(data.events, shown.events) : null;
  return html`<${Known} text=${rate(data.changes_per_s)} why=${data.unknown?.changes_per_s} /> changes/s
    ${data.skipped > 0 && !ui.before && html` · ${counted(data.skipped,
      "event")} came too fast to be shown: narrow the log down, or go back`}
    ${newer !== null && html` · ${newer >= TAIL_MAX ? `${whole(newer)} or more`
      : whole(newer)} newer since it was held`}`;
}

/** @param {any[]} events newest first @param {any[]} held */
function newerThan(events, held) {
  const top = held[0] && keyOf(held[0]);
  const place = events.findIndex((event) => keyOf(event) === top);
  return place < 0 ? events.length : place;
}
