/**
 * Watches as its address says, and keeps a record for the test: `{client, location, skus, token}`, of which `client` are
 * options of StockClient and `token` names what the site mints.
 */
import { StockClient } from "/stockwire/index.js";

const options = JSON.parse(decodeURIComponent(location.search.slice(1)));

/** What happened to this page. `wentBack`: versions that were lower than what had been seen. */
const seen = {
  states: [], wentBack: 0, calls: 0, opened: [], since: 0, recovered: [], closed: 0, persisted: 0,
};

class RecordedSocket extends WebSocket {
  constructor(...given) {
    super(...given);
    seen.opened.push(given[0]);
    this.addEventListener("close", () => seen.closed++);
    this.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "subscribed") seen.recovered.push(message.recovered);
    });
  }

  send(text) {
    const message = JSON.parse(text);
    if (message.type === "subscribe" && message.since) seen.since++;
    super.send(text);
  }
}

async function getToken({ signal }) {
  const answer = await fetch(`/token/${options.token ?? "any"}`, { method: "POST", signal });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
}

const { storage, ...given } = options.client;
const client = new StockClient({
  ...given, getToken, WebSocket: RecordedSocket, ...(storage && { storage: sessionStorage }),
});
const view = client.watch(options.location, options.skus ?? null);
const newest = new Map();
view.subscribe((_, changed) => {
  seen.calls++;
  if (seen.states.at(-1) !== view.state) seen.states.push(view.state);
  for (const { sku, version } of changed) {
    if (version < (newest.get(sku) ?? 0)) seen.wentBack++;
    newest.set(sku, version);
  }
});
addEventListener("pageshow", ({ persisted }) => (seen.persisted += persisted));

/** Available units by sku, in the order of the skus. */
const levels = () => Object.fromEntries([...view.values()].map(({ sku, available }) => [sku, available]).sort());

Object.assign(globalThis, { client, view, seen, levels });
