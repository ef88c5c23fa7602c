/** What the test says of the system, by the page's address; a client that counts who watches, and what it sends. */
import { StockClient } from "@stockwire/client";

export function prepared() {
  const { url, initial } = JSON.parse(decodeURIComponent(location.search.slice(1)));
  const seen = (globalThis.seen = { watching: 0, mostWatching: 0, subscribes: 0, mismatches: [] });
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    seen.subscribes += JSON.parse(text).type === "subscribe";
    return send.call(this, text);
  };
  const client = new StockClient({ url, getToken: async () => (await fetch("/token/any", { method: "POST" })).text() });
  const watch = client.watch.bind(client);
  client.watch = (...given) => {
    const view = watch(...given), close = view.close.bind(view);
    seen.mostWatching = Math.max(seen.mostWatching, ++seen.watching);
    view.close = () => {
      seen.watching--;
      close();
    };
    return view;
  };
  return { client, initial };
}
