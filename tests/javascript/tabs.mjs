/**
 * Tabs of one browser: clients with `share`, for a test in Python. One JSON object in each line. All of them in one
 * thread: node's threads come to a stop when several of them use a BroadcastChannel and a MessagePort at once.
 *
 *     node tabs.mjs '{"source": FOLDER, "options": {...}, "token": TEXT, "watch": [[[location, skus, options]], ...]}'
 *
 * Each entry of `watch` is a tab and what it watches. `{"await": [{"A": 3}, null]}`: answers what each tab holds when all
 * are live at these versions (null: the tab is gone), or after `PATIENCE_MS`, with the WebSockets that each has open.
 * `{"end": true}`: ends the tab that has the connection, and answers its number.
 */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const PATIENCE_MS = 30_000;
const POLL_MS = 20;

const { source, token, options, watch } = JSON.parse(process.argv[2] ?? "");
const { StockClient } = await import(pathToFileURL(`${source}/index.js`).href);
const tabs = watch.map(tab);
console.log(JSON.stringify({ ready: tabs.length }));
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  console.log(JSON.stringify(asked.end ? end() : await agreement(asked.await)));
}
for (const one of tabs) one?.client.close();

/** @param {any[][]} watched */
function tab(watched) {
  /** @type {Set<WebSocket>} */
  const open = new Set();
  class CountedSocket extends WebSocket {
    /** @param {string} url @param {string} protocol */
    constructor(url, protocol) {
      super(url, protocol);
      open.add(this);
      this.addEventListener("close", () => open.delete(this));
    }
  }
  const client = new StockClient({ ...options, share: true, WebSocket: CountedSocket, getToken: () => token });
  return { client, open, views: watched.map((asked) => client.watch(...asked)) };
}

function end() {
  const ended = tabs.findIndex((/** @type {any} */ one) => one?.open.size);
  tabs[ended].client.close();
  tabs[ended] = null;
  return { ended };
}

/** @param {any} one */
function told(one) {
  const levels = one.views.flatMap((/** @type {any} */ view) => [...view.values()]);
  return {
    held: Object.fromEntries(levels.map((/** @type {any} */ { sku, version }) => [sku, version])),
    isLive: one.views.every((/** @type {any} */ view) => view.state === "live"),
    open: one.open.size,
  };
}

/** @param {(Record<string, number> | null)[]} wanted */
async function agreement(wanted) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const all = tabs.map((/** @type {any} */ one) => one && told(one));
    const isThere = wanted.every(
      (versions, number) =>
        !versions ||
        (all[number].isLive && Object.entries(versions).every(([sku, version]) => all[number].held[sku] === version)),
    );
    if (isThere || Date.now() > until) return { tabs: all };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
