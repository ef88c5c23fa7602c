// Reads in the place of a stream, of a hub that the test plays.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Polling } from "../src/polling.js";

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** @param {(polling: Polling, asked: string[], pass: (ms: number) => Promise<void>) => Promise<void>} run */
async function polling(run) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  /** @type {string[]} */
  const asked = [];
  const fetch = async (/** @type {any} */ address) => {
    asked.push(address);
    return Response.json({ views: [{ sku: "A", location: "web", version: 1, availability: "low", quantity: "1+" }] });
  };
  const made = new Polling("http://hub", fetch, "e");
  const pass = async (/** @type {number} */ ms) => {
    for (let left = ms; left > 0; left -= 500) {
      mock.timers.tick(500);
      await settle();
    }
  };
  try {
    await run(made, asked, pass);
  } finally {
    made.close();
    mock.timers.reset();
  }
}

/** @param {Polling} made @param {number} id */
const ask = (made, id) =>
  made.send(JSON.stringify({ type: "subscribe", id, location: "web", skus: ["A"], view: "public" }));

test("what is watched again within a round is read by one round at a time", () =>
  polling(async (made, asked, pass) => {
    for (let id = 2; id < 6; id++) {
      ask(made, id);
      await pass(500);
      if (id < 5) made.send(JSON.stringify({ type: "unsubscribe", id: 90 + id, sub: id }));
      await pass(500);
    }
    const before = asked.length;
    await pass(15_000);
    assert.ok(asked.length > before, "it reads on");
    assert.ok(asked.length - before <= 4, `${asked.length - before} reads in fifteen seconds`);
  }));

test("no timer is left when it is closed", () =>
  polling(async (made, asked, pass) => {
    ask(made, 2);
    await pass(500);
    assert.equal(asked.length, 1);
    const cleared = mock.method(globalThis, "clearTimeout");
    made.close();
    assert.equal(cleared.mock.callCount(), 2, "of the next round, and of when the stream is tried again");
    cleared.mock.restore();
  }));

test("a connection of which nothing can be read says that it is behind all the same", () =>
  polling(async (made, asked, pass) => {
    /** @type {any[]} */
    const told = [];
    made.onmessage = ({ data }) => told.push(JSON.parse(data));
    made.send(JSON.stringify({ type: "connect", id: 1 }));
    made.send(JSON.stringify({ type: "subscribe", id: 2, location: "web", view: "public" }));
    await pass(6_000);
    assert.deepEqual(told.map(({ type, fresh }) => [type, fresh]), [["heartbeat", false], ["connected", undefined]]);
    assert.equal(asked.length, 0);
  }));
