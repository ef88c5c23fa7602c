// In `stockwire up` only: break something, and see it heal. What followed is told below, with the time it took.

import { clock } from "../base/format.js";
import { html } from "../base/html.js";
import { Button } from "../parts/button.js";
import { Panel } from "../parts/figure.js";
import { Text } from "../parts/text.js";

/**
 * `word`: by which `up` says that it is under way.
 * @type {{what: string, word: string, label: string, does: string, grave?: boolean}[]}
 */
const ACTIONS = [
  { what: "flash-sale", word: "flash sale", label: "Start a flash sale", does: "50 units, 500 buyers, all at once" },
  { what: "kill-hub", word: "kill a hub", label: "Kill a hub", does: "its screens move to another", grave: true },
  { what: "cut-broker", word: "cut the broker", label: "Cut the broker", does: "hubs read the log meanwhile",
    grave: true },
];

/**
 * @param {{app: import("../base/app.js").App, up: {under_way: string[], said: {at: string, text: string}[]} | null |
 *   undefined}} props
 */
export function Actions({ app, up }) {
  const offered = ACTIONS.filter(({ what }) => app.session?.actions?.includes(what));
  if (!up || !offered.length) return null;
  return html`
    <${Panel} title="Try it" id="try" class="try">
      <ul class="actions">${offered.map(({ what, word, label, does, grave }) => html`
        <li key=${what}>
          <${Button} class=${grave ? "grave" : "first"} off=${!app.session?.may_act || app.doing !== null
            || up.under_way.includes(word)}
            aria-describedby=${`does-${what}`} onClick=${() => app.act(what, {})}>${up.under_way.includes(word)
              ? `${label}: under way` : label}<//>
          <small id=${`does-${what}`}>${does}</small>
        </li>`)}</ul>
      <h3 id="followed">What followed</h3>
      ${up.said.length === 0 ? html`<p class="empty">Nothing was tried yet.</p>` : html`
        <ol class="said" tabindex="0" aria-live="polite" aria-labelledby="followed">${up.said.map((line) => html`
          <li key=${line.at + line.text}><time>${clock(line.at)}</time> <${Text} of=${line.text} /></li>`)}</ol>`}
    <//>`;
}
