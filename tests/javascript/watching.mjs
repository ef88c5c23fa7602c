/**
 * Watches with the JavaScript client, for a test in Python: one JSON object in each line, in and out.
 *
 *     node watching.mjs '{"source": FOLDER, "options": {...}, "watch": [[location, skus, options], ...]}'
 *
 * `clients`: so many of them, each with a connection of its own. `blocked`: each WebSocket ends at once with this code.
 *
 * `{"await": {"A": 3}}`: answers with what all of them hold as soon as each is `live` (or `state`) at these versions, or after
 * `PATIENCE_MS`: `{"held": [...], "states", "back", "connections"}`, where `back` names each version that came after a
 * higher one.
 */
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const PATIENCE_MS = 30_000;
const { source, token, options, clients, watch, blocked } = JSON.parse(process.argv[2] ?? "");
const { StockClient } = await import(pathToFileURL(`${source}/index.js`).href);

let connections = 0;
class CountedSocket extends WebSocket {
  /** @param {string} url @param {string} protocol */
  constructor(url, protocol) {
    super(url, protocol);
    connections += 1;
  }
}

/** As where a proxy refuses upgrades: an end without a word. */
class BlockedSocket extends EventTarget {
  onclose = (/** @type {object} */ _) => {};
  constructor() {
    super();
    connections += 1;
    setTimeout(() => this.onclose({ code: blocked, reason: "" }));
  }
  close() {}
}

/** @type {string[]} */
const back = [];
/** @type {() => void} */
let look = () => {};

function watching() {
  const client = new StockClient({ WebSocket: blocked ? BlockedSocket : CountedSocket, ...options, ...(token && { getToken: () => token }) });
  const [view] = watch.map((/** @type {any[]} */ asked) => client.watch(...asked));
  const seen = new Map();
  view.subscribe((/** @type {any} */ _, /** @type {any[]} */ changed) => {
    for (const { sku, version } of changed) {
      if (version < seen.get(sku)) back.push(`${sku}: ${version} after ${seen.get(sku)}`);
      seen.set(sku, version);
    }
    look();
  });
  return { client, view };
}

const all = Array.from({ length: clients }, watching);
const held = () =>
  all.map(({ view }) => Object.fromEntries([...view.values()].map(({ sku, version }) => [sku, version])));

/** @param {Record<string, number>} wanted */
async function agreement(wanted, state = "live") {
  const isThere = () =>
    all.every(
      ({ view }) =>
        ["live", state].includes(view.state) && Object.entries(wanted).every(([sku, version]) => view.get(sku)?.version === version),
    );
  await new Promise((resolve) => {
    const late = setTimeout(resolve, PATIENCE_MS);
    look = () => {
      if (!isThere()) return;
      clearTimeout(late);
      resolve(undefined);
    };
    look();
  });
  const { known_ms, lag_ms } = all[0]?.view ?? {};
  return { held: held(), known_ms, lag_ms, states: all.map(({ view }) => view.state), back, connections };
}

await Promise.all(all.map(({ view }) => view.ready));
console.log(JSON.stringify({ ready: held() }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await agreement(JSON.parse(line).await, JSON.parse(line).state)));
}
for (const { client } of all) client.close();
