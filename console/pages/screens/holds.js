// Holds: units that baskets and orders have, until they are paid for, let go of, or their time is over.

import { duration, rate, whole } from "../base/format.js";
import { html } from "../base/html.js";
import { Button } from "../parts/button.js";
import { Empty, Figure, Panel } from "../parts/figure.js";
import { Filters } from "../parts/filters.js";
import { HoldTable } from "./hold_table.js";

const HOLDS = 100;
/** A sweeper that is further behind has more to let go of than it can; docs/reference/metrics.md says so too. */
const DELAY_S_MAX = 5;
const STATES = ["open", "pending", "committed", "fulfilled", "cancelled", "expired"];

/** @type {import("../base/app.js").Asks} */
export function asks({ args }, ui) {
  const { state = "open", location = "", sku = "", owner = "", customer = "", reference = "" } = args;
  return { topic: "holds", args: { state, location, sku, owner, customer, reference, after: ui.after ?? null,
    limit: HOLDS } };
}

/** @param {{app: import("../base/app.js").App, data: any}} props */
export function Holds({ app, data }) {
  const { args } = app.route;
  const { totals } = data;
  const late = totals.sweeper_delay_s > DELAY_S_MAX;
  const set = (/** @type {Record<string, string>} */ patch) => {
    app.uis.holds = {};
    app.go("holds", { ...args, ...patch }, { replace: true });
  };
  const pages = html`
    <span class="pages">
      <${Button} off=${!app.ui.after} onClick=${() => app.remember({ after: null })}>First<//>
      <${Button} off=${!data.next} onClick=${() => app.remember({ after: data.next })}>Next<//>
    </span>`;
  return html`
    <dl class="figures">
      <${Figure} name="Pending" text=${whole(totals.pending)} why=${totals.unknown.pending} note="end by themselves" />
      <${Figure} name="Committed" text=${whole(totals.committed)} why=${totals.unknown.committed}
        note="paid for, not yet handed over" />
      <${Figure} name="Expired" text=${rate(totals.expired_per_s)} unit="/s" why=${totals.unknown.expired_per_s}
        note="let go of: their time was over" />
      <${Figure} name="Freed on demand" text=${whole(totals.released_before_refusal)}
        why=${totals.unknown.released_before_refusal} note="overdue, and somebody needed the units" />
      <${Figure} name="Sweeper behind" text=${duration(totals.sweeper_delay_s)} why=${totals.unknown.sweeper_delay_s}
        tone=${late ? "warn" : ""} says=${late ? "too late" : undefined}
          note=${`more than ${DELAY_S_MAX} s is too much`} />
    </dl>
    <${Filters} label="Narrow the holds down" args=${args} onSet=${set} fields=${[
      { name: "state", label: "State", options: STATES.slice(1), all: "open" },
      { name: "location", label: "Location", options: app.catalogue?.locations.map((one) => one.location) },
      { name: "sku", label: "Sku" },
      { name: "owner", label: "Owner" },
      { name: "customer", label: "Customer" },
      { name: "reference", label: "Reference" },
    ]} />
    <${Panel} title="Holds" id="holds" aside=${pages}>
      <${HoldTable} holds=${data.holds} empty=${html`<${Empty}>${data.unknown.holds ?? "No hold matches."}<//>`} />
    <//>`;
}
