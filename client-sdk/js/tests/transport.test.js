/** What is sent, how often, and what is thrown in the end: without a network. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import {
  Later, OutOfStock, OutcomeUnknown, RateLimited, StockClient, Unauthorized, Unavailable, sale,
} from "../src/index.js";

const LEVEL = { sku: "A", location: "b", version: 1, on_hand: 1, reserved: 0, available: 1, kind: "sale" };
const SOLD = { operation: "o", events: [], levels: [LEVEL] };

/** @type {Request[]} */
let sent = [];
beforeEach(() => {
  sent = [];
  mock.method(Math, "random", () => 0); // no wait is any longer than the ledger asks
});
afterEach(() => mock.restoreAll());

/** A client of a ledger that answers so, one after the other; the last of them for ever. */
function client(answers, options = {}) {
  const left = [...answers];
  return new StockClient({
    url: "http://ledger.example/",
    getToken: () => "sk_1",
    fetch: async (url, init) => {
      sent.push(new Request(url, init));
      const answer = left.length > 1 ? left.shift() : left[0];
      if (answer instanceof Error) throw answer;
      return typeof answer === "function" ? answer(init) : answer.clone();
    },
    ...options,
  });
}

const ok = (document, headers) => Response.json(document, { headers });
const no = (status, type, headers) => Response.json({ type, detail: type }, { status, headers });
const failed = (code) => new TypeError("fetch failed", { cause: Object.assign(new Error("why"), { code }) });
const lost = () => failed("ECONNRESET");
const nobody = () => failed("ECONNREFUSED");
const keys = () => sent.map((request) => request.headers.get("idempotency-key"));

test("every retry of a call carries the same key, and its answer says whether it was used before", async () => {
  const replayed = ok(SOLD, { "Idempotency-Replayed": "true" });
  const answers = [lost(), no(503, "overloaded"), no(409, "idempotency-in-flight"), replayed];
  const sold = await client(answers).stock.sell("A", "b");
  assert.equal(new Set(keys()).size, 1);
  assert.equal(keys().length, 4);
  assert.deepEqual([sold.replayed, sold.key, sold.level], [true, keys()[0], LEVEL]);
});

test("two calls have two keys, and a caller's own is used as it is", async () => {
  const { stock } = client([ok(SOLD)]);
  await stock.sell("A", "b");
  await stock.sell("A", "b");
  await stock.sell("A", "b", 1, { key: "order-4711" });
  assert.equal(new Set(keys()).size, 3);
  assert.equal(keys()[2], "order-4711");
});

test("a refusal is not sent again, and has the key", async () => {
  const refusal = Response.json(
    { type: "insufficient-stock", detail: "no", sku: "A", location: "b", requested: 1, available: 0 }, { status: 409 },
  );
  await assert.rejects(client([refusal]).stock.sell("A", "b"), (error) =>
    error instanceof OutOfStock && error.key === keys()[0]);
  assert.equal(sent.length, 1);
});

test("what may have been written is never called unavailable", async () => {
  const { stock } = client([lost(), nobody()], { maxRetries: 2 });
  await assert.rejects(stock.sell("A", "b"), OutcomeUnknown);
  assert.equal(sent.length, 3);
  await assert.rejects(client([nobody()], { maxRetries: 1 }).stock.sell("A", "b"), Unavailable);
  await assert.rejects(client([lost()], { maxRetries: 1 }).stock.get("A", "b"), Unavailable, "a read has no outcome");
});

test("a gateway that gave up waiting does not know what the ledger did", async () => {
  const gateway = new Response("<html>", { status: 504 });
  await assert.rejects(client([gateway], { maxRetries: 0 }).stock.sell("A", "b"), OutcomeUnknown);
});

test("operations have keys of their own: what became of them is unknown as well", async () => {
  const { operations } = client([lost()], { maxRetries: 0 });
  await assert.rejects(operations([{ key: "k", lines: [sale("A", "b")] }]), OutcomeUnknown);
});

test("no try begins later than the policy says, and never sooner than the ledger asked", async () => {
  const begun = performance.now();
  await assert.rejects(client([no(429, "rate-limited", { "Retry-After": "31" })]).stock.get("A", "b"), (error) =>
    error instanceof RateLimited && error.retry_after_s === 31);
  assert.equal(sent.length, 1);
  const { stock } = client([no(429, "rate-limited", { "Retry-After": "0.05" }), ok(LEVEL)]);
  await stock.get("A", "b");
  assert.ok(performance.now() - begun >= 49);
});

test("an abort ends a wait at once; nothing was written, so its own reason is thrown", async () => {
  const reason = new Error("the page is left");
  const controller = new AbortController();
  const { stock } = client([() => (controller.abort(reason), no(503, "overloaded", { "Retry-After": "20" }))]);
  await assert.rejects(stock.sell("A", "b", 1, { signal: controller.signal }), reason);
  await assert.rejects(stock.sell("A", "b", 1, { signal: controller.signal }), reason);
  assert.equal(sent.length, 1, "one that is over before it began sends nothing");
});

test("an abort while a sale is under way leaves its outcome unknown, with the key to ask again", async () => {
  const hanging = (init) => new Promise((_, reject) => {
    init.signal.addEventListener("abort", () => reject(init.signal.reason));
  });
  const { stock } = client([hanging]);
  const signal = AbortSignal.timeout(20);
  await assert.rejects(stock.sell("A", "b", 1, { signal }), (error) =>
    error instanceof OutcomeUnknown && error.key === keys()[0]);
  await assert.rejects(stock.get("A", "b", { signal: AbortSignal.timeout(20) }), { name: "TimeoutError" });
  assert.equal(sent.length, 2);
});

test("one try takes only so long", async () => {
  const hanging = (init) => new Promise((_, reject) => {
    init.signal.addEventListener("abort", () => reject(init.signal.reason));
  });
  assert.deepEqual(await client([hanging, ok(LEVEL)], { timeout_s: 0.02 }).stock.get("A", "b"), LEVEL);
});

test("a token is fetched once for all calls, anew after a refusal, and a failure is tried again", async () => {
  let fetched = 0;
  const tokens = ["sk_ended", "sk_2"];
  const getToken = async () => {
    if (fetched++ === 0) throw new Error("the shop is away");
    return tokens[fetched - 2] ?? "sk_2";
  };
  const answer = (init) => (init.headers.Authorization === "Bearer sk_2" ? ok(LEVEL) : no(401, "unauthorized"));
  const { stock } = client([answer], { getToken });
  await Promise.all([stock.get("A", "b"), stock.get("A", "b"), stock.get("A", "b")]);
  assert.equal(fetched, 3);
  await stock.get("A", "b");
  assert.equal(fetched, 3);
});

test("a token that is refused again and again, hangs or has a line end in it is no endless loop", async () => {
  await assert.rejects(client([no(401, "unauthorized")]).stock.get("A", "b"), Unauthorized);
  assert.equal(sent.length, 2);
  const never = client([ok(LEVEL)], { getToken: () => new Promise(() => {}), timeout_s: 0.02, maxRetries: 1 });
  const kept = setTimeout(() => {}, 5_000); // a promise that hangs keeps no program alive
  await assert.rejects(never.stock.get("A", "b"), Later);
  clearTimeout(kept);
  await client([ok(LEVEL)], { getToken: () => " sk_1\n" }).stock.get("A", "b");
  assert.equal(sent.at(-1).headers.get("authorization"), "Bearer sk_1");
  const curly = client([ok(LEVEL)], { getToken: () => "sk_\u201c" });
  await assert.rejects(curly.stock.get("A", "b"), { name: "ConfigurationError" });
});

test("the connection and commands never fetch two tokens at once, also while one hangs", async () => {
  let running = 0, most = 0, fetched = 0;
  const getToken = async ({ signal }) => {
    most = Math.max(most, ++running);
    if (fetched++ === 0) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      running--;
      return new Promise(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return "sk_1";
  };
  const WebSocket = class {
    send() {}
    close() {}
  };
  const own = client([ok(LEVEL)], { getToken, WebSocket, hubs: ["ws://hub.example/v1/stream"], timeout_s: 0.05 });
  const kept = setTimeout(() => {}, 5_000);
  try {
    const got = own.stock.get("A", "b");
    while (!fetched) await new Promise((resolve) => setTimeout(resolve, 1));
    own.watch("b", ["A"]);
    assert.deepEqual(await got, LEVEL);
    assert.equal(most, 1);
  } finally {
    clearTimeout(kept);
    own.close();
  }
});

test("a call that is given up does not wait for a token that hangs, and others go on waiting for it", async () => {
  let give;
  const { stock } = client([ok(LEVEL)], { getToken: () => new Promise((resolve) => (give = resolve)), timeout_s: 1 });
  const given = new AbortController(), kept = setTimeout(() => {}, 5_000);
  const up = stock.sell("A", "b", 1, { signal: given.signal }), other = stock.get("A", "b");
  while (!give) await new Promise((resolve) => setTimeout(resolve, 1));
  given.abort(new Error("mine"));
  await assert.rejects(up, { message: "mine" });
  assert.equal(sent.length, 0);
  give("sk_1");
  assert.deepEqual(await other, LEVEL);
  clearTimeout(kept);
});

test("a client without a url of a ledger says so", async () => {
  const hubOnly = new StockClient({ hub: "https://hub.example", fetch: async () => ok(LEVEL) });
  await assert.rejects(hubOnly.stock.get("A", "b"), { name: "ConfigurationError" });
  const wrong = new StockClient({ url: "https://user:secret@ledger.example" });
  await assert.rejects(wrong.stock.get("A", "b"), (error) => !String(error).includes("secret"));
});

test("answers that are none of Stockwire's are refused as such", async () => {
  for (const answer of [ok([]), new Response("<html>"), new Response("", { status: 404 }), ok({ levels: 1 })]) {
    await assert.rejects(client([answer]).stock.sell("A", "b"), { name: "UnexpectedAnswer" });
  }
  const stuck = client([ok({ events: [], next: 7 })]).stock.history("A", "b", { afterVersion: 7 });
  await assert.rejects(stuck.next(), { name: "UnexpectedAnswer" });
});

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const traceparents = () => sent.map((request) => request.headers.get("traceparent"));

test("each request, also of a retry, carries the traceparent of its moment", async () => {
  const given = [TRACEPARENT, TRACEPARENT.replace("4bf", "4bd"), undefined];
  const { stock } = client([lost(), ok(SOLD), ok(LEVEL)], { trace: () => given[sent.length] });
  await stock.sell("A", "b");
  await stock.get("A", "b");
  assert.deepEqual(traceparents(), [given[0], given[1], null]);
});

test("nothing fails for its trace", async () => {
  const wrong = [
    () => "", () => "x\r\ny: z", () => 7, () => null, () => TRACEPARENT + "-1", () => TRACEPARENT.toUpperCase(),
    () => { throw new Error("no tracer"); },
  ];
  for (const trace of wrong) await client([ok(SOLD)], { trace }).stock.sell("A", "b");
  await client([ok(SOLD)]).stock.sell("A", "b");
  assert.deepEqual(traceparents(), Array(wrong.length + 1).fill(null));
});
