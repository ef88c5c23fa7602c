// Events as rows: when, what, how much, who, why. For the log and for a level.

import { preciseClock, moment, signed, spoken, whole } from "../base/format.js";
import { html } from "../base/html.js";
import { addressOf } from "../base/routes.js";
import { Subject, Text } from "../parts/text.js";

/** @typedef {import("../parts/table.js").Column} Column */

/** @param {any} event */
export const keyOf = (event) => `${event.shard}:${event.seq}`;

/** @type {Column} */
const WHEN = {
  name: "when", head: "When",
  cell: (event) => html`<time title=${moment(event.committed_at)}
    datetime=${event.committed_at}>${preciseClock(event.committed_at)}</time>`,
};
/** @type {Column} */
const SUBJECT = {
  name: "sku", head: "Sku", wide: true,
  cell: (event) => html`<${Subject} of=${event} />`,
};
/** @type {Column[]} */
const CHANGE = [
  { name: "kind", head: "Kind", cell: (event) => html`<span
    class=${`kind ${event.kind}`}>${spoken(event.kind)}</span>` },
  { name: "change", head: "On hand", number: true, cell: (event) => change(event.on_hand_delta, event.on_hand) },
  { name: "reserved", head: "Held", number: true, cell: (event) => change(event.reserved_delta, event.reserved) },
  { name: "available", head: "Available", number: true, cell: (event) => html`<b>${whole(event.available)}</b>` },
];
/** @type {Column[]} */
const WHY = [
  { name: "who", head: "Who", wide: true, cell: (event) => html`<a
    href=${addressOf("log", { actor: event.actor })}><${Text} of=${event.actor} /></a>` },
  {
    name: "why", head: "Why", wide: true,
    cell: (event) => why(event),
  },
  {
    name: "operation", head: "Operation",
    cell: (event) => html`<a class="code" href=${addressOf("log", { operation: event.operation })}
      title=${`all events of operation ${event.operation}`}>${event.operation.slice(0, 8)}</a>`,
  },
];
/** @type {Column} */
const VERSION = { name: "version", head: "Version", number: true, cell: (event) => whole(event.version) };
/** @type {Column} */
const PLACE = { name: "place", head: "Shard, seq", number: true, cell: (event) => html`<span
  class="soft">${event.shard}, ${whole(event.seq)}</span>` };

/** @type {Column[]} */
export const OF_ALL = [WHEN, SUBJECT, ...CHANGE, ...WHY, PLACE];
/** @type {Column[]} */
export const OF_A_LEVEL = [VERSION, WHEN, ...CHANGE, ...WHY, PLACE];

/** @param {{reason: string | null, reference: string | null}} event */
function why({ reason, reference }) {
  if (!reason && !reference) return html`<span class="soft">no reason given</span>`;
  return html`${reason && html`<${Text} of=${reason} /> `}${reference && html`<small>for <${Text}
    of=${reference} /></small>`}`;
}

/** What changed, and what it is since. @param {number} delta @param {number} now */
function change(delta, now) {
  if (delta === 0) return html`<span class="soft">${whole(now)}</span>`;
  return html`<span class=${delta > 0 ? "good" : "bad"}>${signed(delta)}</span> <span
    class="soft">→ ${whole(now)}</span>`;
}
