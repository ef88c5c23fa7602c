/** Says changes aloud to whoever listens to the page, politely, for all badges of it. */

import { Pace } from "./pace.js";

const pace = new Pace();
/** @type {HTMLElement | undefined} */
let region;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Before the first change: what comes with its text is not read out everywhere. */
export function prepare() {
  if (region?.isConnected || !document.body) return;
  region = document.createElement("div");
  region.role = "status";
  // By script, which a policy without inline styles allows; not in the way of anything, and nothing moves for it
  region.style.cssText =
    "position:fixed;top:0;left:0;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap";
  document.body.append(region);
}

/** @param {string} key of what it is about
 * @param {string} text */
export function announce(key, text) {
  if (document.hidden) return; // whoever comes back reads how it is then
  pace.offer(key, text);
  timer ??= setTimeout(say, pace.wait_ms(performance.now()));
}

function say() {
  timer = undefined;
  const text = pace.take(performance.now());
  prepare();
  if (region) region.textContent = text;
}
