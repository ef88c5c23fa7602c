// A button that may be off for a while without losing the focus, as one that is `disabled` does.

import { html } from "../base/html.js";

/**
 * @param {{off?: boolean, onClick: () => void, children?: any} & Record<string, any>} props `off`: pressing it does
 *   nothing now
 */
export function Button({ off = false, onClick, children, ...others }) {
  return html`<button type="button" aria-disabled=${off ? "true" : undefined} onClick=${() => off || onClick()}
    ...${others}>${children}</button>`;
}
