// Holds as rows.

import { counted, moment, when, whole } from "../base/format.js";
import { html } from "../base/html.js";
import { addressOf } from "../base/routes.js";
import { Pill } from "../parts/figure.js";
import { Table } from "../parts/table.js";
import { Text } from "../parts/text.js";

/** @typedef {import("../parts/table.js").Column} Column */

/** @param {{holds: any[], empty: any, narrow?: boolean}} props */
export function HoldTable({ holds, empty, narrow }) {
  return html`<${Table} label="Holds" columns=${narrow ? NARROW : COLUMNS} rows=${holds}
    keyOf=${(/** @type {any} */ hold) => hold.id} empty=${empty} />`;
}

/** @type {Record<string, "good" | "warn" | "">} */
const TONES = { pending: "warn", committed: "good", fulfilled: "good" };

/** @type {Record<string, Column>} */
const ALL = {
  state: { name: "state", head: "State", cell: (hold) => html`<${Pill} text=${hold.state}
    tone=${TONES[hold.state] ?? ""} />` },
  owner: { name: "owner", head: "Owner", wide: true, cell: (hold) => html`<${Text}
    of=${hold.owner} />${hold.customer && html` <small>for <${Text} of=${hold.customer} /></small>`}` },
  reference: { name: "reference", head: "Reference", wide: true, cell: (hold) => (hold.reference ? html`<${Text}
    of=${hold.reference} />` : html`<span class="soft">none</span>`) },
  lines: { name: "lines", head: "Units", wide: true, cell: (hold) => html`<${Lines} lines=${hold.lines} />` },
  made: { name: "made", head: "Made", cell: (hold) => html`<time
    title=${moment(hold.created_at)}>${when(hold.created_at, Date.now())}</time>` },
  ends: { name: "ends", head: "Ends", cell: (hold) => ends(hold) },
  id: { name: "id", head: "Id", cell: (hold) => html`<span class="code"
    title=${hold.id}>${hold.id.slice(0, 8)}</span>` },
};
/** @param {string[]} names @returns {Column[]} */
const chosen = (...names) => names.map((name) => /** @type {Column} */ (ALL[name]));
const COLUMNS = chosen("state", "reference", "owner", "lines", "made", "ends", "id");
const NARROW = chosen("state", "reference", "owner", "ends", "id");

/** @param {any} hold */
function ends(hold) {
  if (hold.state !== "pending" || !hold.expires_at) return html`<span class="soft">not by itself</span>`;
  return html`<time title=${moment(hold.expires_at)}>${when(hold.expires_at, Date.now())}</time>`;
}

/** @param {{lines: any[]}} props */
function Lines({ lines }) {
  const units = lines.reduce((sum, line) => sum + line.quantity, 0);
  return html`
    <ul class="lines">
      ${lines.slice(0, 3).map((line) => html`<li>${whole(line.quantity)} × <a
        href=${addressOf("level", { location: line.location, sku: line.sku })}><${Text}
          of=${line.name || line.sku} /></a> <small><${Text} of=${line.location} /></small></li>`)}
      ${lines.length > 3 && html`<li class="soft">and ${counted(lines.length - 3,
        "line")} more, ${whole(units)} units in all</li>`}
    </ul>`;
}
