// Level: one sku at one location. What it is, what made it so, who holds units of it, and what it was at any moment.

import { moment, whole } from "../base/format.js";
import { html } from "../base/html.js";
import { addressOf } from "../base/routes.js";
import { shown as theme } from "../base/theme.js";
import { Button } from "../parts/button.js";
import { Chart } from "../parts/chart.js";
import { Empty, Figure, Panel } from "../parts/figure.js";
import { Table } from "../parts/table.js";
import { Known, Text } from "../parts/text.js";
import { keyOf, OF_A_LEVEL } from "./events.js";
import { HoldTable } from "./hold_table.js";

const EVENTS = 100;

/** @type {import("../base/app.js").Asks} */
export const asks = ({ args }, ui) => ({
  topic: "level",
  args: { sku: args.sku, location: args.location, before: ui.of === subject(args) ? (ui.before ?? null) : null,
    limit: EVENTS, as_of: args.at ?? null },
});

/** @param {{app: import("../base/app.js").App, data: any}} props */
export function Level({ app, data }) {
  const { level } = data;
  return html`
    <dl class="figures">
      <${Figure} name="Available" text=${whole(level?.available)} large tone=${level?.available === 0 ? "bad" : ""}
        says=${level?.available === 0 ? "sold out" : undefined} why=${data.unknown.level} />
      <${Figure} name="On hand" text=${whole(level?.on_hand)} why=${data.unknown.level} />
      <${Figure} name="Held" text=${whole(level?.reserved)} why=${data.unknown.level} />
      <${Figure} name="Version" text=${whole(level?.version)} why=${data.unknown.level}
        note=${level?.committed_at ? `since ${moment(level.committed_at)}` : "it has never moved"} />
    </dl>
    <div class="columns">
      <div class="main">
        <${OverTime} data=${data} newest=${!app.ui.before} />
        <${Panel} title="Holds on it" id="holds-on-it">
          <${HoldTable} holds=${data.holds} narrow empty=${html`<${Empty}>Nobody holds units of it.<//>`} />
          ${data.more_holds && html`<p class="note">There are more: <a
            href=${addressOf("holds", { sku: data.sku, location: data.location })}>all holds on it</a></p>`}
        <//>
      </div>
      <div class="side"><${AsOf} app=${app} as_of=${data.as_of} /></div>
    </div>
    <${Events} app=${app} data=${data} />`;
}

/** @param {Record<string, string>} args */
const subject = (args) => `${args.location}/${args.sku}`;

/** @param {{app: import("../base/app.js").App, data: any}} props */
function Events({ app, data }) {
  const of = subject(app.route.args);
  const before = app.ui.of === of ? app.ui.before : null;
  const pages = html`
    <span class="pages">
      <${Button} off=${!before} onClick=${() => app.remember({ of, before: null })}>Newest<//>
      <${Button} off=${!data.next} onClick=${() => app.remember({ of, before: data.next })}>Older<//>
    </span>`;
  return html`
    <${Panel} title="Events" id="events" aside=${pages}>
      <${Table} label="Events of this level, newest first" columns=${OF_A_LEVEL} rows=${data.events} keyOf=${keyOf}
        empty=${html`<${Empty}>Nothing has ever moved here.<//>`} />
    <//>`;
}

/** @param {{data: any, newest: boolean}} props `newest`: what the last event made is so until now */
function OverTime({ data, newest }) {
  const { events, at } = data;
  if (events.length < 2) return null;
  const points = [...events].reverse().map((event) => ({ ...event, at: event.committed_at }));
  if (newest) points.push({ ...events[0], at });
  return html`<${Panel} title="Over time" id="over-time"><${Chart} title="Units, by the events below" lines=${LINES}
    points=${points} theme=${theme()} stepped /><//>`;
}

/** @type {import("../parts/chart.js").Line[]} */
const LINES = [
  { name: "available", field: "available", color: 1, write: whole },
  { name: "on hand", field: "on_hand", color: 2, write: whole },
];

/** @param {{app: import("../base/app.js").App, as_of: any}} props */
function AsOf({ app, as_of }) {
  const { args } = app.route;
  const look = (/** @type {any} */ event) => {
    event.preventDefault();
    const local = event.target.elements.at.value;
    app.go("level", { ...args, at: local ? new Date(local).toISOString() : "" });
  };
  return html`
    <${Panel} title="At another moment" id="as-of">
      <form class="as-of" onSubmit=${look}>
        <label><span>As of</span><input type="datetime-local" name="at" step="1"
          value=${args.at ? localOf(args.at) : ""} /></label>
        <button type="submit">Look</button>
        ${args.at && html`<button type="button" class="plain"
          onClick=${() => app.go("level", { ...args, at: "" })}>Now</button>`}
      </form>
      ${args.at && as_of && html`
        <dl class="facts" aria-live="polite">
          <div><dt>Moment</dt><dd>${moment(as_of.moment)}</dd></div>
          ${[["Available", as_of.available, "available"], ["On hand", as_of.on_hand, "on_hand"], ["Held",
            as_of.reserved, "reserved"], ["Version", as_of.version, "version"]].map(([name, value, field]) => html`
            <div><dt>${name}</dt><dd><${Known} text=${whole(value)} why=${as_of.unknown?.[field]} /></dd></div>`)}
          <div><dt>Since</dt><dd>${as_of.version === 0 ? "it had not moved yet" : html`<${Known}
            text=${moment(as_of.committed_at)} why=${as_of.unknown?.committed_at} />`}</dd></div>
        </dl>`}
      ${args.at && !as_of && html`<p class="empty">Looking …</p>`}
    <//>`;
}

/** As a field for local times has it. @param {string} at RFC 3339 */
function localOf(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : moment(date.getTime()).replace(" ", "T");
}

/**
 * The heading of the page: others' words, as text.
 * @param {{args: Record<string, string>, name?: string | null}} props
 */
export const Heading = ({ args, name }) => html`<${Text} of=${name || args.sku || ""} /> <small><${Text}
  of=${args.sku || ""} /> at <${Text} of=${args.location || ""} /></small>`;
