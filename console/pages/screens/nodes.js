// Nodes: every process of the system, how far behind it is, what waits in it, and who has to be sent elsewhere.

import { duration, known, mebibytes, milliseconds, moment, rate, short, whole } from "../base/format.js";
import { classes, html } from "../base/html.js";
import { Button } from "../parts/button.js";
import { Empty, Panel, Pill } from "../parts/figure.js";
import { Table } from "../parts/table.js";
import { Known, Text } from "../parts/text.js";
import { Actions } from "./actions.js";

/** @type {import("../base/app.js").Asks} */
export const asks = () => ({ topic: "nodes", args: {} });

/** @param {{app: import("../base/app.js").App, data: any}} props */
export function Nodes({ app, data }) {
  const { nodes } = data;
  const up = nodes.filter((/** @type {any} */ node) => !AWAY.has(node.state)).length;
  return html`
    <${Panel} title="Processes" id="processes" aside=${html`<${Pill} tone=${up === nodes.length ? "good" : "bad"}
      text=${`${up} of ${nodes.length} up`} />`}>
      <${Table} label="Ledgers and hubs" columns=${columnsOf(app, Date.parse(data.at))} rows=${nodes}
        keyOf=${(/** @type {any} */ node) => node.admin}
        tone=${(/** @type {any} */ node) => (AWAY.has(node.state) ? "away" : "")}
          empty=${html`<${Empty}>No admin port was named: the console knows of no process.<//>`} />
    <//>
    <div class=${app.session?.up ? "columns" : undefined}>
      <div class="pair">
        <${Panel} title="Queues" id="queues"><${Crossed} label="Queues" head="What waits" nodes=${nodes}
          cells=${queues} empty="No process that answers has a queue." /><//>
        <${Panel} title="Resyncs, by reason" id="resyncs"><${Crossed} label="Resyncs" head="Since its start"
          nodes=${nodes} cells=${resyncs} empty="No hub says how often anybody had to begin again." /><//>
      </div>
      <div class="side"><${Actions} app=${app} up=${data.up} /></div>
    </div>`;
}

const AWAY = new Set(["away", "too big", "foreign"]);
/** @type {Record<string, "good" | "warn" | "bad">} */
const TONES = { ready: "good", fresh: "good", behind: "warn", unready: "warn", away: "bad", "too big": "bad",
  foreign: "bad" };

/**
 * @param {import("../base/app.js").App} app
 * @param {number} now_ms
 * @returns {import("../parts/table.js").Column[]}
 */
function columnsOf(app, now_ms) {
  const number = (/** @type {string} */ field, /** @type {string} */ head,
    /** @type {(value: any) => string} */ write) => ({
    name: field, head, number: true, cell: (/** @type {any} */ node) => figure(write(node[field]), node.unknown[field], AWAY.has(node.state)),
  });
  return [
    { name: "name", head: "Node", wide: true, cell: (node) => html`<b><${Text} of=${node.name} /></b> <small
      class="below">${placeOf(node)}</small>` },
    { name: "state", head: "State", cell: (node) => html`<${Pill} tone=${TONES[node.state] ?? "warn"}
      text=${node.state} />${node.draining && html` <${Pill} tone="warn"
        text="drains" />`}${node.broker_up === false && html` <${Pill} tone="bad" text="no broker" />`}` },
    { name: "drain", head: "Drain", cell: (node) => html`<${Drain} app=${app} node=${node} />` },
    { name: "version", head: "Version", cell: (node) => html`<${Version} node=${node} now_ms=${now_ms} />` },
    number("lag_ms", "Lag ms", milliseconds),
    number("clients", "Clients", whole),
    number("changes_per_s", "Changes/s", rate),
    number("deliveries_per_s", "Sent/s", rate),
    number("slow_readers", "Slow", whole),
    number("conflated", "Conflated", short),
    number("conflicts", "Conflicts", short),
    number("cpu_percent", "CPU %", rate),
    number("memory_bytes", "MiB", mebibytes),
  ];
}

/** @param {{kind: string | null, admin: string}} node */
const placeOf = ({ kind, admin }) => [kind, admin.replace(/^https?:\/\//, "")].filter(Boolean).join(" · ");

/**
 * What a node cannot have, and all of one that is away, is a dash with the reason; what could not be read says so.
 * @param {string} text
 * @param {string | undefined} why
 * @param {boolean} away
 */
function figure(text, why, away) {
  if (text !== "not known" || !why || !(away || /^a (ledger|hub) /.test(why))) return html`<${Known} text=${text} why=${why} />`;
  return html`<span class="soft" title=${why}>–<span class="unseen">${why}</span></span>`;
}

/** @param {{node: any, now_ms: number}} props */
function Version({ node, now_ms }) {
  const since = node.started_at && `since ${moment(node.started_at)}`;
  return html`<${Known} text=${node.version ?? "not known"} why=${node.unknown.version} />${node.schema
    && html` <small>schema ${node.schema}</small>`}
    ${since && html`<small class="below"
      title=${since}>up ${duration((now_ms - Date.parse(node.started_at)) / 1000)}</small>`}`;
}

/** @param {{app: import("../base/app.js").App, node: any}} props */
function Drain({ app, node }) {
  if (!node.may_drain) return null;
  const what = node.draining ? "undrain" : "drain";
  return html`<${Button} data-act=${what} off=${!app.session?.may_act || app.doing !== null}
    title=${app.session?.may_act ? undefined : "needs a key with the scope admin"}
    onClick=${() => app.act(what, { node: node.name })}>${node.draining ? "Undrain" : "Drain"}<span
      class="unseen"> ${node.name}</span><//>`;
}

/** @typedef {{what: string, count: number | null}} Cell */

/** @param {any} node @returns {Cell[]} */
const queues = (node) => node.queues.map((/** @type {any} */ queue) => ({ what: queue.what, count: queue.length }));

/** @param {any} node @returns {Cell[]} */
const resyncs = (node) => node.resyncs.map((/** @type {any} */ resync) => ({ what: resync.reason,
  count: resync.count }));

/**
 * What there is of each kind in each process: kinds below each other, processes beside each other.
 * @param {{label: string, head: string, nodes: any[], cells: (node: any) => Cell[], empty: string}} props
 */
function Crossed({ label, head, nodes, cells, empty }) {
  const columns = nodes.map((node) => ({ node, counts: new Map(cells(node).map(({ what, count }) => [what,
    count])) })).filter(({ counts }) => counts.size);
  const kinds = [...new Set(columns.flatMap(({ counts }) => [...counts.keys()]))];
  return html`<${Table} label=${label} rows=${kinds} keyOf=${(/** @type {string} */ what) => what}
    empty=${html`<${Empty}>${empty}<//>`} columns=${[
    { name: "what", head, wide: true, cell: (/** @type {string} */ what) => what },
    ...columns.map(({ node, counts }) => ({
      name: node.admin, head: html`<${Text} of=${node.name} />`, label: node.name, number: true,
        cell: (/** @type {string} */ what) => count(counts, what),
    })),
  ]} />`;
}

/** @param {Map<string, number | null>} counts @param {string} what */
function count(counts, what) {
  if (!counts.has(what)) return html`<span class="soft" title="such a process has none">–</span>`;
  const number = counts.get(what);
  return html`<span class=${classes(known(number) && number > 0 ? "some" : "soft")}><${Known} text=${whole(number)}
    why="the process does not say" /></span>`;
}
