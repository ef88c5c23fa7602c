// Launch: what is on sale, how fast it goes, whether anything is wrong. The page that is open while thousands buy.

import { counted, duration, known, milliseconds, percent, rate, when, whole } from "../base/format.js";
import { html } from "../base/html.js";
import { shown as theme } from "../base/theme.js";
import { Chart } from "../parts/chart.js";
import { Bar, Empty, Figure, Panel } from "../parts/figure.js";
import { Table } from "../parts/table.js";
import { Known, Subject, Ticking } from "../parts/text.js";
import { Actions } from "./actions.js";
import { keyOf, leftOf, untilEmpty } from "./selling.js";
import { Segments } from "./segments.js";
import { Wall } from "./wall.js";
import { Wrong } from "./wrong.js";

/** More than a screen full of what sells most is no overview. */
const SKUS = 10;

/** @type {import("../base/app.js").Asks} */
export const asks = () => ({ topic: "launch", args: { location: "", limit: SKUS, since: null } });

/** @param {{app: import("../base/app.js").App, data: any}} props */
export function Launch({ app, data }) {
  if (app.route.args.wall) return html`<${Wall} app=${app} data=${data} />`;
  return html`
    <${Totals} data=${data} />
    <div class="columns">
      <div class="main">
        <${Panel} title="On sale" id="on-sale" aside=${html`<span
          class="soft">what sold most in the last ${duration(data.window_s)}</span>`}>
          <${Table} label="Skus on sale" columns=${COLUMNS} rows=${data.skus} keyOf=${keyOf}
            tone=${(/** @type {any} */ row) => (row.available === 0 ? "out" : "")}
            onOpen=${(/** @type {any} */ row) => app.go("level", { location: row.location, sku: row.sku })}
            empty=${html`<${Empty}>Nothing was sold in the last ${duration(data.window_s)}.<//>`} />
        <//>
        <div class="pair">
          <${Panel} title="Pace" id="pace"><${Chart} title="A second" lines=${PACE} points=${app.history}
            theme=${theme()} /><//>
          <${Panel} title="Commit to this console" id="latency"><${Chart} title="Milliseconds" lines=${LATENCY}
            points=${app.history} theme=${theme()} /><//>
        </div>
      </div>
      <div class="side">
        <${Wrong} wrong=${data.wrong} />
        <${Segments} segments=${data.segments} painted=${app.paint.figures} window_s=${data.window_s} />
        <${Actions} app=${app} up=${data.up} />
      </div>
    </div>`;
}

/** @param {{data: any}} props */
function Totals({ data }) {
  const { totals } = data;
  const why = totals.unknown;
  const none = totals.oversold === 0;
  return html`
    <dl class="figures">
      <${Figure} name="Oversold" text=${whole(totals.oversold)} why=${why.oversold}
        tone=${none ? "good" : known(totals.oversold) ? "bad" : "warn"}
        says=${none ? "as it must be" : known(totals.oversold) ? "must be 0" : undefined}
          note=${auditOf(totals.audit, data.at)} />
      <${Figure} name="Sold" text=${rate(totals.sold_per_s)} unit="/s" why=${why.sold_per_s}
        note=${html`<${Known} text=${rate(totals.changes_per_s)} why=${why.changes_per_s} /> changes/s of all kinds`} />
      <${Figure} name="Refused" text=${rate(totals.refused_per_s)} unit="/s" why=${why.refused_per_s}
        note="not enough stock, and other reasons" />
      <${Figure} name="Held" text=${whole(totals.held)} unit="units" why=${why.held}
        note=${html`in <${Known} text=${whole(totals.holds_open)} why=${why.holds_open} /> open holds`} />
      <${Figure} name="Screens" text=${whole(totals.screens)} why=${why.screens} note="connected to hubs" />
    </dl>`;
}

/** @param {any} audit @param {string} at */
function auditOf(audit, at) {
  if (!audit) return null;
  return html`<span title=${audit.how}>${whole(audit.events)} events on ${counted(audit.levels,
    "level")} added up since ${when(audit.since, Date.parse(at))}<span class="unseen">: ${audit.how}</span></span>`;
}

/** @type {import("../parts/table.js").Column[]} */
const COLUMNS = [
  {
    name: "sku", head: "Sku", wide: true,
    cell: (row) => html`<${Subject} of=${row} />`,
  },
  { name: "left", head: "Left", number: true, cell: (row) => html`<${Left} row=${row} />` },
  { name: "empty", head: "Empty in", number: true, cell: (row) => html`<${Known} text=${untilEmpty(row)}
    why=${row.unknown.minutes_left} />` },
  { name: "held", head: "Held", number: true, cell: (row) => html`<${Ticking} text=${whole(row.held)}
    tick=${row.ticks?.held} why=${row.unknown.held} />` },
  {
    name: "sold", head: "Sold", number: true,
    cell: (row) => html`<${Counted} row=${row} field="sold" />`,
  },
  {
    name: "refused", head: "Refused", number: true,
    cell: (row) => html`<${Counted} row=${row} field="refused" />`,
  },
];

/** How many, and how many a second. @param {{row: any, field: "sold" | "refused"}} props */
function Counted({ row, field }) {
  const per_s = row[`${field}_per_s`];
  return html`<${Ticking} text=${whole(row[field])} tick=${row.ticks?.[field]}
    why=${row.unknown[field]} />${known(per_s) && html` <small>${rate(per_s)}/s</small>`}`;
}

/** @param {{row: any}} props */
function Left({ row }) {
  const { part, tone } = leftOf(row);
  return html`
    <span class="left">
      <span><b><${Ticking} text=${whole(row.available)} tick=${row.ticks?.available} /></b> <small
        title=${row.had_is}>of <${Known} text=${whole(row.had)} why=${row.unknown.had} /></small></span>
      <${Bar} part=${part} tone=${tone} label=${`${percent(row.available, row.had)} left`} />
    </span>`;
}

/** @type {import("../parts/chart.js").Line[]} */
const PACE = [
  { name: "sold", field: "sold_per_s", color: 1, write: rate },
  { name: "refused", field: "refused_per_s", color: 2, write: rate },
];
/** @type {import("../parts/chart.js").Line[]} */
const LATENCY = [
  { name: "half within", field: "p50_ms", color: 3, write: milliseconds },
  { name: "99 of 100 within", field: "p99_ms", color: 4, write: milliseconds },
];
