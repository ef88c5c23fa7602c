// What is wrong, with what to do about it; or that nothing is.

import { html } from "../base/html.js";
import { addressOf } from "../base/routes.js";
import { Panel, Pill } from "../parts/figure.js";
import { Text } from "../parts/text.js";

/** @type {Record<string, "bad" | "warn" | "">} */
const TONES = { failed: "bad", warning: "warn" };

/** @param {{wrong: {severity: string, what: string, fix: string, node?: string | null}[]}} props */
export function Wrong({ wrong }) {
  return html`
    <${Panel} title="What is wrong" id="wrong" aside=${wrong.length ? html`<${Pill} tone=${worst(wrong)}
      text=${`${wrong.length} to look at`} />` : html`<${Pill} tone="good" text="nothing" />`}>
      ${wrong.length === 0 ? html`<p
        class="empty">No process is behind or away, the broker takes messages, the audit adds up.</p>` : html`
        <ul class="wrong">${wrong.map((one) => html`
          <li key=${one.what} class=${TONES[one.severity] ?? "warn"}>
            <b class="severity">${one.severity}</b>
            <p class="what"><${Text} of=${one.what} /></p>
            ${one.fix && html`<p class="fix"><span class="soft">Fix:</span> <${Text}
              of=${one.fix} />${one.node && html` <a href=${addressOf("nodes")}>Look at <${Text}
                of=${one.node} /></a>`}</p>`}
          </li>`)}</ul>`}
    <//>`;
}

/** @param {{severity: string}[]} wrong @returns {"bad" | "warn"} */
const worst = (wrong) => (wrong.some((one) => TONES[one.severity] === "bad") ? "bad" : "warn");
