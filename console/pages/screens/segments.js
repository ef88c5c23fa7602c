// Where the time goes between a commit and a screen: measured piece by piece, the last of them in this browser.

import { known, milliseconds, whole } from "../base/format.js";
import { html } from "../base/html.js";
import { Panel } from "../parts/figure.js";
import { Known } from "../parts/text.js";

/** @param {{segments: any[], painted: import("../base/paint.js").Painted, window_s: number}} props */
export function Segments({ segments, painted, window_s }) {
  const rows = [...segments, paintOf(painted)];
  const most = Math.max(1, ...rows.map((row) => row.p99_ms ?? 0));
  return html`
    <${Panel} title="Commit to screen" id="segments" aside=${html`<span class="soft">last ${whole(window_s)} s</span>`}>
      <div class="table" role="group" aria-label="Commit to screen, in segments" tabindex="0">
        <table class="segments">
          <thead><tr><th scope="col">Segment</th><th scope="col" class="number">p50 ms</th><th scope="col"
            class="number">p99 ms</th></tr></thead>
          <tbody>${rows.map((row) => html`
            <tr key=${row.name}>
              <th scope="row">${row.name}<small>${row.from} → ${row.to}</small><${Span} row=${row} most=${most} /></th>
              <td class="number"><${Known} text=${milliseconds(row.p50_ms)} why=${row.unknown.p50_ms} /></td>
              <td class="number"><${Known} text=${milliseconds(row.p99_ms)} why=${row.unknown.p99_ms} /></td>
            </tr>`)}</tbody>
        </table>
      </div>
      ${known(painted.right_to_ms) && html`<p class="note">${noteOf(painted.right_to_ms)}</p>`}
    <//>`;
}

/** @param {number} right_to_ms */
const noteOf = (right_to_ms) => "The paint is measured in this browser, its clock compared with the console's: "
  + `right to ${milliseconds(right_to_ms)} ms.`;

/** @param {import("../base/paint.js").Painted} painted */
function paintOf({ p50_ms, p99_ms, samples, why }) {
  return {
    name: "paint", from: "it is committed", to: "this browser has drawn it", p50_ms, p99_ms, samples,
    unknown: why ? { p50_ms: why, p99_ms: why } : {},
  };
}

/** Both numbers as lengths: the cells beside say them. @param {{row: any, most: number}} props */
function Span({ row, most }) {
  if (!known(row.p50_ms) || !known(row.p99_ms)) return null;
  return html`
    <span class="span" aria-hidden="true">
      <span class="p99" style=${{ width: `${(100 * row.p99_ms) / most}%` }}></span>
      <span class="p50" style=${{ width: `${(100 * row.p50_ms) / most}%` }}></span>
    </span>`;
}
