/**
 * Where the connection of a client comes from: a hub, or another tab. What few need is loaded when it is needed.
 *
 * @import { ClientOptions } from "./client.js"
 * @import { Link, Socket } from "./link.js"
 * @import { Kept } from "./storage.js"
 * @import { Tabs } from "./shared.js"
 */
import { ConfigurationError } from "./errors.js";
import { SUBPROTOCOL } from "./frame.js";
import { discovered, hubOf, hubsInTurn } from "./hubs.js";

/** @type {typeof import("./way.js") | undefined} Of all clients of this page, once one of them had to look for another way. */
let others;

/** @param {ClientOptions} options */
export function waysOf({ url, hub, hubs, getToken, storage, share, ...given }) {
  const { fetch = globalThis.fetch.bind(globalThis), WebSocket = globalThis.WebSocket } = given;
  const from = url ?? hub ?? "", name = from || hubs?.[0];
  if (!name) throw new ConfigurationError("a client needs url, hub or hubs");
  const nextHub = hubsInTurn(async () => hubs?.map(hubOf) ?? discovered(from, fetch));
  /** @type {Promise<Tabs> | undefined} */
  let tabs;
  /** @type {Kept | undefined} */
  let kept;

  /**
   * @param {Link} link
   * @returns {Promise<[Socket, string | undefined]>}  With the token to say.
   */
  const open = async (link) => {
    if (storage) kept ??= new (await import("./storage.js")).Kept(link, storage, name);
    if (share && globalThis.navigator?.locks) {
      const shared = [name, getToken ? "token" : "visitor", share].join();
      tabs ??= import("./shared.js").then(({ Tabs }) => new Tabs(link, shared));
      tabs.catch(() => (tabs = undefined)); // tried again
      const socket = await (await tabs).socket();
      if (socket) return [socket, undefined];
    }
    if (getToken) link.tokens ??= new (await import("./tokens.js")).Tokens(getToken);
    const [next, token] = await Promise.all([nextHub(), link.tokens?.fetch()]);
    // What cannot be loaded keeps nobody from the way that there always is
    if (link.failed || link.crowded || kept?.isBlocked) others ??= await import("./way.js").catch(() => undefined);
    const plain = () => new WebSocket(next.stream, link.tokens?.protocols ?? SUBPROTOCOL);
    if (!others) return [plain(), token];
    const streams = async () => (await import("./event_stream.js")).EventStream;
    const polling = async () => (await import("./polling.js")).Polling;
    return [await others.reach(link, next.read, { plain, fetch, kept, streams, polling }), token];
  };

  return {
    open,
    save: () => kept?.save(),
    close: () => void tabs?.then((own) => own.close(), () => {}),
  };
}
