/**
 * Where the connection of a client comes from: a hub, or another tab. What few need is loaded when it is needed.
 *
 * @import { Hub } from "./hubs.js"
 * @import { Link, Socket } from "./link.js"
 * @import { Kept, Storage } from "./storage.js"
 * @import { Tabs } from "./shared.js"
 */
import { reach } from "./way.js";

export class Ways {
  /** @type {Promise<Tabs> | undefined} */
  #tabs;
  /** @type {Kept | undefined} */
  #kept;

  /**
   * @param {object} given
   * @param {() => Promise<Hub>} given.nextHub
   * @param {string} given.name  Of where they were asked for.
   * @param {typeof globalThis.fetch} given.fetch
   * @param {new (url: string, protocols: string | string[]) => Socket} given.WebSocket
   * @param {Storage | undefined} given.storage
   * @param {boolean | string | undefined} given.share
   */
  constructor(given) {
    this.given = given;
  }

  /**
   * @param {Link} link
   * @returns {Promise<[Socket, string | null | undefined]>}  With the token to say.
   */
  async open(link) {
    const { nextHub, name, fetch, WebSocket, storage, share } = this.given;
    const { getToken } = link;
    if (storage) this.#kept ??= new (await import("./storage.js")).Kept(link, storage, name);
    if (share && globalThis.navigator?.locks) {
      const shared = [name, getToken ? "token" : "visitor", share].join();
      this.#tabs ??= import("./shared.js").then(({ Tabs }) => new Tabs(link, shared));
      this.#tabs.catch(() => (this.#tabs = undefined)); // tried again
      const socket = await (await this.#tabs).socket();
      if (socket) return [socket, null];
    }
    if (getToken) link.tokens ??= new (await import("./tokens.js")).Tokens(getToken);
    const [hub, token] = await Promise.all([nextHub(), link.tokens?.fetch()]);
    const streams = async () => (await import("./event_stream.js")).EventStream;
    const polling = async () => (await import("./polling.js")).Polling;
    return [await reach(link, hub, { fetch, WebSocket, kept: this.#kept, streams, polling }), token];
  }

  save() {
    this.#kept?.save();
  }

  close() {
    void this.#tabs?.then((tabs) => tabs.close(), () => {});
  }
}
