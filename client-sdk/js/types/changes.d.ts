/**
 * What changes in a view, for whoever iterates over it: loaded when somebody does.
 *
 * @import { Watched } from "./level.js"
 * @import { View } from "./view.js"
 */
import type { Watched } from "./level.js";
import type { View } from "./view.js";
/**
 * @template {Watched} T
 * @param {View<T>} view
 * @returns {AsyncGenerator<readonly T[], void>}
 */
export declare function changesOf<T extends Watched>(view: View<T>): AsyncGenerator<readonly T[], void>;
