/**
 * Every command of the JavaScript client against a real ledger: `node ledger_program.mjs URL KEY READER NOBODY`.
 *
 * READER: a key that may read berlin only. NOBODY: a URL where no ledger is. Prints what it learnt.
 */
import assert from "node:assert/strict";

import {
  BelowReserved, Forbidden, IdempotencyMismatch, Invalid, NotFound, OutOfStock, ReservationState, StockClient,
  TransferState, Unauthorized, Unavailable, VersionConflict, adjustment, counted, held, heldFrom, receipt, returned, sale,
  writeOff,
} from "../../client-sdk/js/src/index.js";

const [url, key, reader, nobody] = process.argv.slice(2);
const client = new StockClient({ url, getToken: () => key });
const { stock, reservations, transfers } = client;
const all = async (listing) => {
  const found = [];
  for await (const one of listing) found.push(one);
  return found;
};

// stock
assert.equal((await stock.get("A", "berlin")).version, 0);
const received = await stock.receive("A", "berlin", 10, { reference: "delivery-1", occurredAt: new Date("2026-11-01") });
assert.deepEqual([received.level.on_hand, received.level.version, received.replayed], [10, 1, false]);
assert.ok(Object.isFrozen(received) && Object.isFrozen(received.level) && Object.isFrozen(received.events[0]));
assert.equal((await stock.sell("A", "berlin", 3)).level.on_hand, 7);
assert.equal((await stock.return_("A", "berlin")).level.on_hand, 8);
assert.equal((await stock.writeOff("A", "berlin", 2, { reason: "broken" })).level.on_hand, 6);
assert.equal((await stock.adjust("A", "berlin", -1)).level.on_hand, 5);
assert.equal((await stock.count("A", "berlin", 9, { expectedVersion: 5 })).level.on_hand, 9);
await assert.rejects(stock.count("A", "berlin", 9, { expectedVersion: 5 }), (error) => {
  assert.ok(error instanceof VersionConflict);
  assert.deepEqual([error.expected_version, error.current.version, error.current.on_hand], [5, 6, 9]);
  return error.key.length === 36;
});
await assert.rejects(stock.sell("A", "berlin", 2, { expectedVersion: 1 }), VersionConflict);
await assert.rejects(stock.sell("A", "berlin", 11), (error) => {
  assert.deepEqual([error.name, error.requested, error.available], ["OutOfStock", 11, 9]);
  return error instanceof OutOfStock && error.sku === "A" && error.location === "berlin";
});
await assert.rejects(stock.get("nothing", "berlin"), (error) => error instanceof NotFound && error.value === "nothing");
const events = await all(stock.history("A", "berlin"));
assert.deepEqual(events.map(({ kind }) => kind), ["receipt", "sale", "return", "write_off", "adjustment", "count"]);
assert.equal((await all(stock.history("A", "berlin", { afterVersion: 4 }))).length, 2);

// names that paths are made of
await assert.rejects(stock.get("..", "berlin"), (error) => error instanceof Invalid && error.field === "sku");
for (const name of ["...", "a?b#c%d&e+f", "Köln-🧺"]) {
  await assert.rejects(stock.get(name, "berlin"), (error) => error instanceof NotFound && error.value === name);
}

// operations
const basket = [sale("A", "berlin", 2), receipt("B", "berlin", 5), returned("B", "berlin"), writeOff("B", "berlin", 1),
  adjustment("B", "berlin", -1)];
const done = await client.operation(basket, { key: "basket-1" });
assert.deepEqual(done.levels.map(({ sku, on_hand }) => [sku, on_hand]).sort(), [["A", 7], ["B", 4]]);
assert.equal((await client.operation(basket, { key: "basket-1" })).replayed, true);
await assert.rejects(client.operation([sale("A", "berlin")], { key: "basket-1" }), IdempotencyMismatch);
const outcomes = await client.operations([
  { key: "night-1", lines: [sale("A", "berlin")] },
  { key: "night-2", lines: [sale("B", "berlin", 50)] },
  { key: "night-3", count: counted("B", "berlin", 8, { expectedVersion: null }) },
]);
assert.deepEqual(outcomes.map(({ error }) => error?.name ?? null), [null, "OutOfStock", null]);
assert.deepEqual([outcomes[1].error.key, outcomes[1].error.available], ["night-2", 4]);
const known = await client.outcomes(["night-1", "night-2", "unknown", "basket-1"]);
assert.deepEqual(known.map(({ key, replayed }) => [key, replayed]),
  [["night-1", true], ["night-2", true], ["basket-1", true]]);
assert.equal(known[0].lines[0].quantity, -1);
const many = Array.from({ length: 2_300 }, (_, number) => ({ key: `many-${number}`, lines: [receipt("C", "hamburg", 1)] }));
assert.equal((await client.operations(many)).filter(({ error }) => !error).length, 2_300);
assert.deepEqual((await client.levelsOf([["berlin", "B"], ["berlin", "A"], ["hamburg", "A"]])).map((level) => level.on_hand),
  [8, 6, 0]);
assert.deepEqual((await all(client.levels("berlin"))).map(({ sku }) => sku).sort(), ["A", "B"]);
assert.equal((await all(client.levels())).length, 3);
assert.equal((await all(stock.history("C", "hamburg"))).length, 2_300, "page after page");

// reservations
const made = await reservations.reserve([held("A", "berlin", 2), heldFrom("C", ["berlin", "hamburg"], 3)],
  { ttl_s: 600, customer: "c-17", reference: "order-1", key: "order-1" });
assert.deepEqual([made.state, made.customer, made.lines.length, made.result.key], ["pending", "c-17", 2, "order-1"]);
await assert.rejects(stock.count("A", "berlin", 1, { expectedVersion: null }), (error) =>
  error instanceof BelowReserved && error.reserved === 2);
await assert.rejects(reservations.reserve([held("A", "berlin", 5)]), OutOfStock);
await assert.rejects(reservations.reserve([heldFrom("C", ["berlin", "hamburg"], 5_000, { split: true })]), (error) => {
  assert.deepEqual(error.locations, { berlin: 0, hamburg: 2_297 });
  return error instanceof OutOfStock;
});
assert.equal((await reservations.change(made.id, [held("A", "berlin", 4), held("C", "hamburg", 0)])).lines[0].pending, 4);
assert.ok((await reservations.extend(made.id, 900)).expires_at > made.expires_at);
const paid = await reservations.commit(made.id);
assert.equal(paid.state, "committed");
assert.equal((await reservations.fulfil(made.id, { lines: [held("A", "berlin", 1)] })).lines[0].fulfilled, 1);
await assert.rejects(reservations.extend(made.id, 60), (error) =>
  error instanceof ReservationState && error.reservation === made.id && error.asked === "extend");
assert.equal((await reservations.cancel(made.id)).lines[0].cancelled, 3);
const quick = await reservations.reserve([held("A", "berlin")]);
assert.equal((await reservations.commit(quick.id, { fulfil: true })).state, "fulfilled");
assert.deepEqual((await all(reservations.list({ reference: "order-1" }))).map(({ id }) => id), [made.id]);
assert.deepEqual((await reservations.get(made.id)).version > 1, true);

// transfers
const truck = await transfers.send("hamburg", "berlin", { C: 10 }, { reference: "truck-1" });
assert.deepEqual([truck.from, truck.to, truck.lines[0].in_transit], ["hamburg", "berlin", 10]);
assert.equal((await transfers.receive(truck.id, { units: { C: 6 } })).lines[0].received, 6);
assert.equal((await transfers.return_(truck.id, { units: new Map([["C", 3]]) })).lines[0].returned, 3);
await assert.rejects(transfers.receive(truck.id, { units: { C: 2 } }), (error) =>
  error instanceof TransferState && error.possible === 1);
assert.equal((await transfers.close(truck.id, { reason: "stolen" })).lines[0].lost, 1);
assert.deepEqual((await all(transfers.list({ reference: "truck-1" }))).map(({ id }) => id), [truck.id]);
assert.equal((await transfers.get(truck.id)).state, "received");

// keys and tokens
await assert.rejects(new StockClient({ url, getToken: () => "sk_wrong" }).stock.get("A", "berlin"), Unauthorized);
let fetched = 0;
const renewed = new StockClient({ url, getToken: () => (fetched++ ? key : "sk_ended") });
assert.equal((await Promise.all([1, 2, 3].map(() => renewed.stock.get("A", "berlin")))).length, 3);
assert.equal(fetched, 2, "one that has ended is fetched anew, once for all that wait for it");
const reading = new StockClient({ url, getToken: async () => reader });
assert.equal((await reading.stock.get("A", "berlin")).on_hand, 4);
await assert.rejects(reading.stock.sell("A", "berlin"), (error) => error instanceof Forbidden && error.scope !== undefined);
const aside = new StockClient({ url: nobody, getToken: () => key, maxRetries: 1 });
await assert.rejects(aside.stock.sell("A", "berlin"), (error) => error instanceof Unavailable && error.key.length === 36);

console.log(JSON.stringify({
  levels: await client.levelsOf([["berlin", "A"], ["berlin", "B"], ["berlin", "C"], ["hamburg", "C"]]),
  events: await all(stock.history("A", "berlin")),
  reservation: await reservations.get(made.id),
  transfer: await transfers.get(truck.id),
}));
client.close();
