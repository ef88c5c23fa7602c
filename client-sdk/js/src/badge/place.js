/** Where the hub is that a script came from. Pure. */

const SCRIPT = /\/v1\/badge\.js$/;

/** @param {string} text an address, or part of one
 * @param {string} base what it is relative to
 * @returns {string | undefined} of a hub's read port, without a slash at its end; undefined: it is none */
export function hubAt(text, base) {
  try {
    const { protocol, origin, pathname } = new URL(text, base);
    return /^https?:$/.test(protocol) ? origin + pathname.replace(/\/+$/, "") : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} script the address of this very script: its hub, unless `?hub=` names another
 * @returns {string | undefined} */
export function hubOf(script) {
  const { searchParams, origin, pathname } = new URL(script);
  const named = searchParams.get("hub");
  if (named !== null) return hubAt(named, script);
  return SCRIPT.test(pathname) ? hubAt(pathname.replace(SCRIPT, ""), origin) : undefined;
}
