// CPU of one `level` in a client that watches 1,000 skus, from the socket's text to the listener that hears of it, against
// JSON.parse of the same texts; in turns, of which the lowest counts: what else runs beside it only adds, and falls into few
// turns if they are short. Prints {"ours": us, "bare": us}.
import { setImmediate } from "node:timers/promises";
import { LOCATION, level, named, watched } from "./stocked.mjs";

const SKUS = 1_000, TEXTS = 4_000, TURNS = 100, WARM_UP = 40;
// Changes of a frame, 5,000 a second: the listeners are told once for them
const AT_ONCE = 80;

const skus = named(SKUS);
const { client, view, receive } = await watched(skus);
let heard = 0, version = 1;
view.subscribe((_, changed) => (heard += changed.length));

function texts() {
  const made = [];
  for (let number = 0; number < TEXTS; number++) {
    if (number % SKUS === 0) version++;
    const seq = version * SKUS + number % SKUS;
    made.push(JSON.stringify({ type: "level", ...level(skus[number % SKUS], seq, version) }));
  }
  return made;
}

async function cpuOf(made, take) {
  globalThis.gc();
  const before = process.cpuUsage();
  for (let first = 0; first < made.length; first += AT_ONCE) {
    for (let place = first; place < first + AT_ONCE; place++) take(made[place]);
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / made.length;
}

let kept;
const ours = [], bare = [];
for (let turn = 0; turn < WARM_UP + TURNS; turn++) {
  const made = texts();
  const sides = [[ours, receive], [bare, (text) => (kept = JSON.parse(text))]];
  for (const [figures, take] of turn % 2 ? sides : sides.reverse()) {
    const took_us = await cpuOf(made, take);
    if (turn >= WARM_UP) figures.push(took_us);
  }
}
if (view.get(skus[0]).version !== version || kept.location !== LOCATION || heard < SKUS) throw new Error("not applied");
client.close();
console.log(JSON.stringify({ ours: Math.min(...ours), bare: Math.min(...bare) }));
