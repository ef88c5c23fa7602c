// Memory of 10,000 watched levels in a client, against a Map of the parsed objects by sku: bytes of the heap for each.
// Prints {"ours": bytes, "bare": bytes}. Needs --expose-gc.
import { setTimeout } from "node:timers/promises";
import { level, named, watched } from "./stocked.mjs";

const SKUS = 10_000;

function heap() {
  for (let time = 0; time < 4; time++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

function parsed(skus) {
  const levels = new Map();
  const text = JSON.stringify(skus.map((sku, number) => level(sku, number + 1, 1)));
  for (const one of JSON.parse(text)) levels.set(one.sku, one);
  return levels;
}

await watched(named(10)); // the code itself is held once
parsed(named(10));
const skus = named(SKUS); // whoever watches has their names already
const before = heap();
const levels = parsed(skus);
const bare = heap() - before;
const between = heap();
const { client, view } = await watched(skus);
await setTimeout(100); // its listeners have been told
const ours = heap() - between;
if (levels.size !== SKUS || skus.some((sku) => view.get(sku)?.version !== 1)) throw new Error("not held");
client.close();
console.log(JSON.stringify({ ours: ours / SKUS, bare: bare / SKUS }));
process.exit(0); // the first client still watches
