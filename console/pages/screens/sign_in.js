// In: an API key, once. It is sent to the console alone, which keeps a session; it is kept nowhere in this browser.

import { html } from "../base/html.js";
import { Component } from "../vendor/preact/preact.mjs";

/** @extends {Component<{app: import("../base/app.js").App}, {busy: boolean, error: string}>} */
export class SignIn extends Component {
  state = { busy: false, error: "" };
  /** @type {HTMLInputElement | null} */
  field = null;

  /** Whoever has just signed out is nowhere else; `autofocus` counts once for each page that is loaded. */
  componentDidMount() {
    this.field?.focus();
  }

  /** @param {any} event */
  enter = async (event) => {
    event.preventDefault();
    const field = event.target.elements.key;
    const key = field.value.trim();
    if (!key) return this.setState({ error: "An API key is needed: it begins with sw_" }, () => field.focus());
    this.setState({ busy: true, error: "" });
    try {
      await this.props.app.signIn(key);
    } catch (error) {
      this.setState({ busy: false, error: said(/** @type {import("../base/api.js").Refused} */ (error)) },
        () => field.focus());
    }
  };

  render() {
    const { busy, error } = this.state;
    const { session, ended } = this.props.app;
    return html`
      <main id="main" class="sign-in">
        <form class="panel" onSubmit=${this.enter}>
          <img src="/favicon.svg" alt="" width="40" height="40" />
          <h1 id="title" tabindex="-1">Stockwire console</h1>
          ${ended && html`<p role="status">Your session has ended: its hours are over, the key was revoked, or the
            ${" "}console was started again. Sign in, and go on where you were.</p>`}
          <label><span>API key</span>
            <input name="key" type="password" autocomplete="current-password" spellcheck=${false} required
              ref=${(/** @type {HTMLInputElement | null} */ field) => { this.field = field; }}
              aria-invalid=${Boolean(error)} aria-describedby="key-help key-error" /></label>
          <p id="key-help"
            class="note">It needs the scope <code>stock:read:*</code> to look, and <code>admin</code> to drain a hub.
            ${" "}It is asked for once and not kept in this browser.</p>
          <p id="key-error" class="bad" role="alert">${error}</p>
          <button type="submit" class="first" disabled=${busy}>${busy ? "Signing in …" : "Sign in"}</button>
          ${session?.up && html`<p
            class="note">This console is part of <code>stockwire up</code>: the link that it printed signs you in
            ${" "}without a key.</p>`}
        </form>
      </main>`;
  }
}

/** @param {import("../base/api.js").Refused} refused */
function said({ status, message, retry_after_s }) {
  if (status === 429) return `Too many tries. Try again${retry_after_s ? ` in ${retry_after_s} s` : " later"}.`;
  if (status === 401) return "This key is not valid: it was mistyped, revoked, or is of another system.";
  if (status === 403) return "This key may not look here: it needs the scope stock:read:*.";
  return message;
}
