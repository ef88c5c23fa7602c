/**
 * @import { GetToken } from "./link.js"
 */

/** @type {WeakMap<GetToken, Promise<string>>} Those that are being fetched. */
const running = new WeakMap();

/**
 * The connection and commands of a client wait for the same token: some can be fetched once only. What hangs is given up
 * with whoever asked first.
 *
 * @param {GetToken} getToken
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export function tokenOf(getToken, signal) {
  const known = running.get(getToken);
  if (known) return known;
  const own = (async () => getToken({ signal }))();
  running.set(getToken, own);
  const over = () => {
    if (running.get(getToken) === own) running.delete(getToken);
  };
  own.then(over, over);
  signal.addEventListener("abort", over);
  return own;
}
