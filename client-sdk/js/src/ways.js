/**
 * How to reach a hub from here: by WebSocket; where that is blocked by an event stream; by asking now and then where it
 * has no place for a visitor; or by way of another tab. Each but the first is loaded when it is needed.
 *
 * @import { Hub } from "./hubs.js"
 * @import { Link, Socket } from "./link.js"
 * @import { Kept, Storage } from "./storage.js"
 * @import { Tabs } from "./shared.js"
 */
import { SUBPROTOCOL } from "./frame.js";

const FAILED_MAX = 2;
const BLOCKED = "stockwire.blocked";

// Remembered for all clients of this page, and with `storage` for the session
let isBlocked = false;

export class Ways {
  /** @type {Promise<Tabs> | undefined} */
  #tabs = undefined;
  /** @type {Kept | undefined} */
  #kept = undefined;

  /**
   * @param {object} given
   * @param {() => Promise<Hub>} given.nextHub
   * @param {string} given.name  Of where they were asked for.
   * @param {typeof globalThis.fetch} given.fetch
   * @param {new (url: string, protocol: string) => Socket} given.WebSocket
   * @param {Storage | undefined} given.storage
   * @param {boolean | string | undefined} given.share
   */
  constructor(given) {
    this.given = given;
    isBlocked ||= given.storage?.getItem(BLOCKED) === "1";
  }

  /**
   * @param {Link} link
   * @returns {Promise<[Socket, string | null]>}  With the token to say.
   */
  async open(link) {
    const { nextHub, name, fetch, WebSocket, storage, share } = this.given;
    if (storage) this.#kept ??= new (await import("./storage.js")).Kept(link, storage, name);
    if (share && globalThis.navigator?.locks) {
      const shared = [name, link.getToken ? "token" : "visitor", share].join();
      this.#tabs ??= import("./shared.js").then(({ Tabs }) => new Tabs(link, shared));
      this.#tabs.catch(() => (this.#tabs = undefined)); // tried again
      const socket = await (await this.#tabs).socket();
      if (socket) return [socket, null];
    }
    const [{ stream, read }, token] = await Promise.all([nextHub(), link.fetchToken()]);
    if (read && link.failed >= FAILED_MAX) {
      link.failed = 0;
      // A hub that is away for a moment lets nobody in: WebSockets are blocked where it answers otherwise
      isBlocked = !isBlocked && (await (await import("./event_stream.js")).isThere(read, fetch));
      storage?.setItem(BLOCKED, isBlocked ? "1" : "");
    }
    if (read && !link.getToken && link.crowded >= FAILED_MAX) {
      link.crowded = 0;
      return [new (await import("./polling.js")).Polling(read, fetch, link.session.epoch ?? ""), null];
    }
    if (!read || !isBlocked) return [new WebSocket(stream, SUBPROTOCOL), token];
    return [new (await import("./event_stream.js")).EventStream(read, fetch), token];
  }

  save() {
    this.#kept?.save();
  }

  close() {
    void this.#tabs?.then((tabs) => tabs.close(), () => {});
  }
}
