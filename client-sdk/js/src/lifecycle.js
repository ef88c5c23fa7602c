/**
 * What browsers do to sockets. A page that nobody looks at keeps its connection for a while and then lets it go; one
 * that is left lets it go at once, so that it can be kept for "back"; one that is looked at again, or whose network is
 * back, asks the hub at once. No timer of a hidden page is trusted: one that is late does no harm here.
 *
 * @import { Link } from "./link.js"
 */

/**
 * @param {Link} link
 * @param {number} hiddenFor_ms
 * @param {() => unknown} save  Is called whenever this page may be at its end.
 * @returns {() => void}  Ends it.
 */
export function followPage(link, hiddenFor_ms, save) {
  const page = globalThis.document;
  if (!page) return () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let letGo;
  const ended = new AbortController();
  const look = () => {
    clearTimeout(letGo);
    if (!page.hidden) return link.wake();
    save();
    letGo = setTimeout(() => link.sleep(), hiddenFor_ms);
  };
  const leave = () => {
    save();
    link.sleep();
  };
  const probe = () => (page.hidden ? link.probe() : link.wake());
  /** @type {[EventTarget, string, () => void][]} */
  const heard = [
    [page, "visibilitychange", look], [page, "resume", probe], [page, "freeze", leave],
    [globalThis, "pageshow", probe], [globalThis, "pagehide", leave], [globalThis, "online", probe],
  ];
  for (const [target, type, call] of heard) target.addEventListener(type, call, { signal: ended.signal });
  if (page.hidden) look();
  return () => {
    clearTimeout(letGo);
    ended.abort();
  };
}
