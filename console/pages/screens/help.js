// The shortcuts, and the switch that turns those of single keys off.

import { html } from "../base/html.js";
import { SHORTCUTS } from "../base/keys.js";
import { switchedOn, switchTo } from "../base/shortcuts.js";
import { Component } from "../vendor/preact/preact.mjs";

/** @extends {Component<{app: import("../base/app.js").App}>} */
export class Help extends Component {
  /** @type {HTMLDialogElement | null} */
  dialog = null;

  componentDidMount() {
    this.dialog?.showModal();
  }

  render() {
    const { app } = this.props;
    const close = () => app.setHelp(false);
    return html`
      <dialog ref=${(/** @type {HTMLDialogElement | null} */ dialog) => { this.dialog = dialog; }} onClose=${close}
        aria-labelledby="help">
        <header><h2 id="help">Keyboard</h2><button type="button"
          onClick=${() => this.dialog?.close()}>Close</button></header>
        <table><tbody>${SHORTCUTS.map(({ keys, does }) => html`
          <tr key=${keys}><th scope="row">${keys.split(" ").map((key) =>
            html`<kbd>${key}</kbd> `)}</th><td>${does}</td></tr>`)}</tbody></table>
        <label class="switch"><input type="checkbox" checked=${switchedOn()}
          onChange=${(/** @type {any} */ event) => switchTo(event.target.checked)} /> Shortcuts of single keys</label>
      </dialog>`;
  }
}
