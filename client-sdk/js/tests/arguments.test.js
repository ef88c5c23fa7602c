/** What would be refused is refused before it is sent, with the name of the field. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { StockClient, counted, held, heldFrom, receipt, sale } from "../src/index.js";

const client = new StockClient({
  url: "http://ledger.example",
  fetch: async () => assert.fail("it was sent"),
});
const { stock, reservations, transfers } = client;
const ID = "615de811-d0b8-498b-bd1f-a1dc864cb7ff";

/** @type {[string, () => unknown][]} */
const REFUSED = [
  ["sku", () => sale("", "b")],
  ["sku", () => stock.get("a/b", "b")],
  ["location", () => stock.sell("A", "*")],
  ["location", () => stock.sell("A")],
  ["sku", () => stock.sell("\ud800", "b")],
  ["units", () => sale("A", "b", 0)],
  ["units", () => stock.sell("A", "b", 1.5)],
  ["units", () => stock.sell("A", "b", "2")],
  ["units", () => stock.sell("A", "b", NaN)],
  ["units", () => receipt("A", "b")],
  ["units", () => stock.receive("A", "b", 2 ** 31)],
  ["difference", () => stock.adjust("A", "b", true)],
  ["reason", () => stock.writeOff("A", "b", 1, { reason: 7 })],
  ["reference", () => stock.sell("A", "b", 1, { reference: "\udc00" })],
  ["occurredAt", () => stock.sell("A", "b", 1, { occurredAt: "yesterday" })],
  ["occurredAt", () => stock.sell("A", "b", 1, { occurredAt: new Date("?") })],
  ["expectedVersion", () => stock.sell("A", "b", 1, { expectedVersion: 2 ** 53 })],
  ["expectedVersion", () => stock.count("A", "b", 1)],
  ["expectedVersion", () => counted("A", "b", 1, {})],
  ["onHand", () => stock.count("A", "b", -1, { expectedVersion: null })],
  ["key", () => stock.sell("A", "b", 1, { key: "" })],
  ["key", () => stock.sell("A", "b", 1, { key: "a b" })],
  ["key", () => client.operation([sale("A", "b")], { key: '"quoted"' })],
  ["lines", () => client.operation([])],
  ["lines", () => client.operation("A")],
  ["lines[1]", () => client.operation([sale("A", "b"), { sku: "A", location: "b", quantity: -1, kind: "sale" }])],
  ["batch[0].key", () => client.operations([{ lines: [sale("A", "b")] }])],
  ["batch[1].lines", () => client.operations([{ key: "a", lines: [sale("A", "b")] }, { key: "b", lines: [] }])],
  ["batch[0].count", () => client.operations([{ key: "a", count: { sku: "A" } }])],
  ["keys", () => client.outcomes([7])],
  ["keys[0]", () => client.levelsOf([["b", "A", "c"]])],
  ["keys[1].sku", () => client.levelsOf([["b", "A"], ["b"]])],
  ["afterVersion", () => stock.history("A", "b", { afterVersion: -1 }).next()],
  ["location", () => client.levels("").next()],
  ["lines", () => reservations.reserve([])],
  ["lines[0]", () => reservations.reserve([sale("A", "b")])],
  ["lines[0].quantity", () => reservations.reserve([held("A", "b", 0)])],
  ["quantity", () => heldFrom("A", ["b"], 0)],
  ["locations", () => heldFrom("A", "b")],
  ["locations", () => heldFrom("A", [])],
  ["split", () => heldFrom("A", ["b", "c"], 1, { split: 1 })],
  ["ttl_s", () => reservations.reserve([held("A", "b")], { ttl_s: 0.5 })],
  ["lines[0].locations", () => reservations.commit(ID, { lines: [heldFrom("A", ["b", "c"])] })],
  ["fulfil", () => reservations.commit(ID, { fulfil: "yes" })],
  ["lines[0].quantity", () => reservations.change(ID, [held("A", "b", null)])],
  ["id", () => reservations.get("4711")],
  ["id", () => transfers.get("../reservations")],
  ["sku", () => reservations.list({ sku: "A" }).next()],
  ["olderThan_s", () => reservations.list({ olderThan_s: -1 }).next()],
  ["units", () => transfers.send("b", "c", {})],
  ["units", () => transfers.send("b", "c")],
  ["units[A]", () => transfers.send("b", "c", { A: null })],
  ["units[A]", () => transfers.receive(ID, { units: { A: 0 } })],
  ["to", () => transfers.return_(ID, { to: "" })],
];

for (const [field, call] of REFUSED) {
  test(`${field} of ${String(call).slice(6)}`, async () => {
    const error = await (async () => call())().catch((error) => error);
    assert.deepEqual([error?.name, error?.field], ["Invalid", field], error?.stack);
    assert.ok(error.message.startsWith(`${field}: `) && error.reason);
  });
}
