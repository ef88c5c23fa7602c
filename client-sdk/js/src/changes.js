/**
 * What changes in a view, for whoever iterates over it: loaded when somebody does.
 *
 * @import { Watched } from "./level.js"
 * @import { View } from "./view.js"
 */

/**
 * @template {Watched} T
 * @param {View<T>} view
 * @returns {AsyncGenerator<readonly T[], void>}
 */
export async function* changesOf(view) {
  /** @type {Map<string, T>} Bounded by what is watched: of each sku the newest only. */
  const inbox = new Map();
  let wake = () => {};
  const end = view.subscribe((_, changed) => {
    for (const level of changed) inbox.set(`${level.location}/${level.sku}`, level);
    wake();
  });
  try {
    while (view.state !== "closed" || inbox.size) {
      if (inbox.size) {
        const changed = [...inbox.values()];
        inbox.clear();
        yield changed;
      } else {
        await new Promise((resolve) => (wake = () => resolve(undefined)));
      }
    }
  } finally {
    end();
  }
  if (view.error) throw view.error;
}
