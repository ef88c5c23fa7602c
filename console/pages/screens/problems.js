// Problems: what was refused, to whom, on what; what requests were told; and what `stockwire doctor` finds.

import { known, rate, spoken, when, whole } from "../base/format.js";
import { html } from "../base/html.js";
import { addressOf } from "../base/routes.js";
import { shown as theme } from "../base/theme.js";
import { Chart } from "../parts/chart.js";
import { Empty, Figure, Panel, Pill } from "../parts/figure.js";
import { Table } from "../parts/table.js";
import { Known, Subject, Text } from "../parts/text.js";
import { Wrong } from "./wrong.js";

/** @typedef {import("../parts/table.js").Column} Column */

/** @type {import("../base/app.js").Asks} */
export const asks = () => ({ topic: "problems", args: {} });

/** @param {{app: import("../base/app.js").App, data: any}} props */
export function Problems({ app, data }) {
  const { rates } = data;
  const figure = (/** @type {string} */ name, /** @type {string} */ field, /** @type {string} */ note) => html`
    <${Figure} name=${name} text=${rate(rates[field])} unit="/s" why=${rates.unknown[field]} note=${note} />`;
  return html`
    <dl class="figures">
      ${figure("Refused", "refused_per_s", "decided on a level or a hold")}
      ${figure("Problems answered", "problems_per_s", "by ledgers and hubs, of all types")}
      ${figure("Too many requests", "rate_limited_per_s", "owners above their rate")}
      ${figure("Changes", "changes_per_s", "for comparison")}
    </dl>
    <div class="columns">
      <div class="main">
        <${Panel} title="Over time" id="over-time"><${Chart} title="A second" lines=${LINES} points=${app.history}
          theme=${theme()} /><//>
        <div class="pair">
          <${Panel} title="Refused, by type" id="by-type"><${Counts} label="Refusals by type" rows=${data.refused}
            columns=${[TYPE, ...COUNTS]} why=${data.unknown.refused} /><//>
          <${Panel} title="Refused, by owner" id="by-owner"><${Counts} label="Refusals by owner"
            rows=${data.refused_by_owner} columns=${[OWNER, TYPE, ...COUNTS]}
              why=${data.unknown.refused_by_owner} /><//>
        </div>
        <${Panel} title="Refused, by level" id="by-level"><${Counts} label="Refusals by level"
          rows=${data.refused_by_level} columns=${[LEVEL, TYPE, ...COUNTS]} why=${data.unknown.refused_by_level} /><//>
        <${Panel} title="Problems, by process" id="by-node"><${Counts} label="Problems by process"
          rows=${data.problems} columns=${[NODE, TYPE, ...COUNTS]} why=${data.unknown.problems} /><//>
      </div>
      <div class="side">
        <${Wrong} wrong=${data.wrong} />
        <${Doctor} doctor=${data.doctor} now_ms=${Date.parse(data.at)} why=${data.unknown.doctor} />
      </div>
    </div>`;
}

/** @type {import("../parts/chart.js").Line[]} */
const LINES = [
  { name: "refused", field: "refused_per_s", color: 2, write: rate },
  { name: "problems", field: "problems_per_s", color: 4, write: rate },
];

/** @type {Column} */
const TYPE = { name: "type", head: "Type", wide: true, cell: (row) => html`<code>${row.type}</code>` };
/** @type {Column} */
const OWNER = { name: "owner", head: "Owner", wide: true, cell: (row) => html`<a
  href=${addressOf("log", { actor: row.owner })}><${Text} of=${row.owner} /></a>` };
/** @type {Column} */
const NODE = { name: "node", head: "Process", cell: (row) => html`<${Text} of=${row.node} />` };
/** @type {Column} */
const LEVEL = {
  name: "level", head: "Level", wide: true,
  cell: (row) => html`<${Subject} of=${row} />`,
};
/** @type {Column[]} */
const COUNTS = [
  { name: "count", head: "Count", number: true, cell: (row) => html`<b><${Known} text=${whole(row.count)} /></b>` },
  { name: "rate", head: "A second", number: true, cell: (row) => html`<${Known} text=${rate(row.per_s)} why=${row.unknown.per_s} />` },
];

/** @param {{label: string, rows: any[] | null, columns: Column[], why?: string}} props */
function Counts({ label, rows, columns, why }) {
  if (!rows) return html`<${Empty}><${Known} text="not known" why=${why} />: ${why}<//>`;
  return html`<${Table} label=${label} rows=${rows} columns=${columns}
    keyOf=${(/** @type {any} */ row) => JSON.stringify([row.owner, row.node, row.sku, row.location, row.type])}
    empty=${html`<${Empty}>${why ?? "None since the console watches."}<//>`} />`;
}

/** @type {Record<string, "good" | "warn" | "bad" | "">} */
const TONES = { good: "good", warning: "warn", bad: "bad", error: "bad", unknown: "warn", skipped: "" };

/** @param {{doctor: any, now_ms: number, why?: string}} props */
function Doctor({ doctor, now_ms, why }) {
  const verdict = doctor && html`<${Pill} tone=${doctor.good ? "good" : "bad"}
    text=${doctor.good ? "all good" : "not all good"} />`;
  return html`
    <${Panel} title="Doctor" id="doctor" aside=${verdict}>
      ${!doctor ? html`<${Empty}><${Known} text="not known" why=${why} />${why && `: ${why}`}<//>` : html`
        <p class="note">Looked at ${when(doctor.at, known(now_ms) ? now_ms : Date.now())}.</p>
        <ul class="findings">${doctor.findings.map((/** @type {any} */ finding) => html`
          <li key=${finding.check}>
            <p><${Pill} tone=${TONES[finding.state] ?? "warn"}
              text=${finding.state} /> <b>${spoken(finding.check)}</b></p>
            <p class="detail"><${Text} of=${finding.detail} /></p>
            ${finding.fix && html`<p class="fix"><span class="soft">Fix:</span> <${Text} of=${finding.fix} /></p>`}
          </li>`)}</ul>`}
    <//>`;
}
