/** A program of somebody else's, in TypeScript: right uses compile, and each wrong one must not. */
import {
  Later, OutOfStock, Refused, StockClient, StockwireError, VersionConflict, adjustment, counted, held, heldFrom,
  receipt, returned, sale, writeOff,
} from "@stockwire/client";
import type { Availability, Level, OperationResult, Reservation, State, Threshold, View } from "@stockwire/client";

declare const order: { id: string; cents: number };

const client = new StockClient({
  url: "https://ledger.example",
  getToken: async ({ signal }) => (await fetch("/token", { method: "POST", signal })).text(),
  timeout_s: 5,
  maxRetries: 3,
  retryFor_s: 20,
});

async function sell(): Promise<number> {
  try {
    const sold = await client.stock.sell("A-100", "web", 2, {
      key: order.id, reference: order.id, occurredAt: new Date(), expectedVersion: 7,
      signal: AbortSignal.timeout(5_000),
    });
    const version: number = sold.level.version;
    const kinds: (string | null)[] = sold.levels.map((level) => level.kind);
    return version + kinds.length + sold.events.reduce((sum, event) => sum + event.on_hand_delta, 0);
  } catch (error) {
    if (error instanceof OutOfStock) return error.requested - error.available;
    if (error instanceof VersionConflict) return error.current.on_hand;
    if (error instanceof Refused) return 0;
    if (error instanceof Later) return error.retry_after_s ?? 1;
    if (error instanceof StockwireError) throw new Error(`${error.name} ${error.key ?? ""}`);
    throw error;
  }
}

async function everything(): Promise<void> {
  const lines = [
    sale("A", "web"), receipt("A", "web", 2), returned("A", "web"), writeOff("A", "web", 1), adjustment("A", "web", -1),
  ];
  const done = await client.operation(lines, { key: order.id });
  const replayed: boolean = done.replayed;
  for (const outcome of await client.operations([
    { key: "a", lines },
    { key: "b", count: counted("A", "web", 4, { expectedVersion: null }) },
  ])) {
    console.log(outcome.error?.name, outcome.operation, replayed);
  }
  for await (const event of client.stock.history("A", "web", { afterVersion: 3 })) console.log(event.actor);
  for await (const level of client.levels("web")) console.log(level.available);
  const [first] = await client.levelsOf([["web", "A"]]);
  const wanted = [held("A", "web", 2), heldFrom("B", ["web", "hamburg"], 1, { split: true })];
  const basket = await client.reservations.reserve(wanted, { ttl_s: 900, customer: "c-17" });
  const paid = await client.reservations.commit(basket.id, { fulfil: true, lines: [held("A", "web", null)] });
  for await (const open of client.reservations.list({ state: "open", olderThan_s: 60 })) console.log(open.expires_at);
  const truck = await client.transfers.send("web", "hamburg", { A: 2 });
  await client.transfers.receive(truck.id, { units: { A: null }, close: true });
  console.log(first?.committed_at, paid.result.key, truck.from, truck.lines[0]?.in_transit);
}

declare const byName: [View<Level>, View<Availability>, View<Threshold>, View, State, OperationResult, Reservation, OutOfStock];

function watching(): void {
  const view = client.watch("web", ["A-100"]);
  const available: number | undefined = view.get("A-100")?.available;
  const seen = client.watch("web", null, { view: "public" });
  const quantity: string | undefined = seen.get("A-100")?.quantity;
  const end: () => void = view.subscribe((now, changed) => console.log(now.state, changed[0]?.on_hand));
  const low = client.watchThreshold("web", ["A-100"], { atMost: 5, until: 8 });
  console.log(available, quantity, low.get("A-100")?.raised, end);
}

// Wrong: each of the lines below a comment must be refused by the compiler.

// @ts-expect-error A client is told where to find the system by an object
new StockClient("https://ledger.example");
// @ts-expect-error An option that does not exist
new StockClient({ url: "https://ledger.example", apiKey: "sk" });
// @ts-expect-error getToken is a function
new StockClient({ url: "https://ledger.example", getToken: "sk" });
// @ts-expect-error The location is missing
client.stock.get("A-100");
// @ts-expect-error Units are a number
client.stock.sell("A-100", "web", "2");
// @ts-expect-error How many arrived is not for the client to guess
client.stock.receive("A-100", "web");
// @ts-expect-error A misspelt detail would be lost
client.stock.sell("A-100", "web", 1, { referense: "order-1" });
// @ts-expect-error Moments are dates
client.stock.sell("A-100", "web", 1, { occurredAt: "2026-11-29" });
// @ts-expect-error A count says against which version, or null
client.stock.count("A-100", "web", 4);
// @ts-expect-error So it does in a list
counted("A-100", "web", 4, {});
// @ts-expect-error A line is made by sale() and the others
client.operation([{ sku: "A-100", location: "web" }]);
// @ts-expect-error An operation of many has a key of its own
client.operations([{ lines: [sale("A-100", "web")] }]);
// @ts-expect-error A sale is not held
client.reservations.reserve([sale("A-100", "web")]);
// @ts-expect-error Seconds have to be told
client.reservations.extend("615de811-d0b8-498b-bd1f-a1dc864cb7ff");
// @ts-expect-error How many are sent has to be told
client.transfers.send("web", "hamburg", { A: null });
// @ts-expect-error The public sees no exact numbers
client.watch("web", null, { view: "public" }).get("A-100")?.available;
// @ts-expect-error Levels have numbers, not a step that the public sees
client.watch("web", null).get("A-100")?.quantity;
// @ts-expect-error There is one other view
client.watch("web", null, { view: "private" });
// @ts-expect-error What is known is not the application's to change
client.watch("web", null).get("A-100")!.available = 3;
// @ts-expect-error An error's numbers are named
new OutOfStock("none left", { sku: "A-100" });
// @ts-expect-error Only what came of the call is there
client.stock.sell("A-100", "web").then((sold) => sold.quantity);
// @ts-expect-error Private
client.stock.transport;

export { everything, byName, sell, watching };
