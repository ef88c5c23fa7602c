/** Watches a hub for the badges of a page: of the client what somebody without a token needs, who names each sku. */

import { invalid } from "../errors.js";
import { SUBPROTOCOL } from "../frame.js";
import { discovered, hubsInTurn } from "../hubs.js";
import { PUBLIC } from "../kind.js";
import { followPage } from "../lifecycle.js";
import { Link } from "../link.js";
import { HIDDEN_FOR_MS, NAME } from "../limits.js";
import { Polling } from "../polling.js";
import { tidy } from "../tidy.js";
import { View } from "../view.js";
import { reach } from "../way.js";
import { EventStream } from "./event_source.js";

export class Visitor {
  #link;

  /** @param {string} hub its read port */
  constructor(hub) {
    const nextHub = hubsInTurn(() => discovered(hub, fetch));
    const [streams, polling] = [async () => EventStream, async () => Polling];
    this.#link = new Link({
      tidy, // in the one file that a hub serves nothing is loaded later
      open: async (link) => {
        const { stream, read } = await nextHub();
        const plain = () => new WebSocket(stream, SUBPROTOCOL);
        return [await reach(link, read, { plain, fetch, streams, polling }), undefined];
      },
    });
    followPage(this.#link, HIDDEN_FOR_MS, () => {});
  }

  /** @param {string} location
   * @param {string} sku
   * @returns {View<import("../level.js").Availability>} throws for what is no name, and when this page was turned away */
  watch(location, sku) {
    for (const name of [location, sku]) if (!NAME.test(name)) throw invalid("name", `${JSON.stringify(name)} is none`);
    if (this.#link.isClosed) throw this.#link.error;
    return /** @type {View<any>} */ (new View(this.#link, this.#link.session.feed(PUBLIC, location, true), [sku]));
  }
}
