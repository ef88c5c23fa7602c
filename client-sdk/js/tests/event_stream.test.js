// The stream where WebSockets are blocked, by a hub that the test plays.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { EventStream } from "../src/event_stream.js";

/** What it says when the hub answers so. */
async function saidOf(status, headers = {}) {
  const said = [];
  const stream = new EventStream("http://hub", async () => new Response('{"detail": "why"}', { status, headers }));
  const ended = new Promise((resolve) => (stream.onclose = resolve));
  stream.onmessage = ({ data }) => said.push(JSON.parse(data));
  stream.send(JSON.stringify({ type: "subscribe", id: 2, location: "web", skus: ["A"], view: "public" }));
  const { code } = await ended;
  return { said, code };
}

test("a hub without a place is left alone for as long as it asks for", async () => {
  for (const status of [429, 503]) {
    const { said, code } = await saidOf(status, { "Retry-After": "17" });
    assert.deepEqual(said.map(({ type, after_ms, reason }) => [type, after_ms, reason]), [["disconnect", 17_000, "why"]]);
    assert.equal(code, 4100);
  }
});

test("one that does not say for how long is left alone for the usual pause", async () => {
  assert.deepEqual(await saidOf(503), { said: [], code: 4100 });
  assert.deepEqual(await saidOf(500), { said: [], code: null });
});

/** A stream of which so many subscriptions are asked for together with `connect`, and what was opened, said and ended. */
async function asking(count, fetch) {
  const opened = [], said = [], ended = [];
  const stream = new EventStream("http://hub", (address, { signal }) => {
    opened.push(new URL(address).searchParams.get("location"));
    return fetch(opened.length, signal);
  });
  stream.onclose = ({ code }) => ended.push(code);
  stream.onmessage = ({ data }) => said.push(JSON.parse(data));
  stream.send(JSON.stringify({ type: "connect", id: 1 }));
  const ask = (id) => stream.send(JSON.stringify({ type: "subscribe", id, location: `place-${id}`, skus: ["A"], view: "public" }));
  for (let id = 2; id < 2 + count; id++) ask(id);
  await new Promise((resolve) => setImmediate(resolve));
  return { stream, ask, opened, said, ended };
}

/** Open, and silent until it is given up. */
const silent = (signal) =>
  new Response(new ReadableStream({ start: (pipe) => signal.addEventListener("abort", () => pipe.error("over")) }));
const open = async (_, signal) => silent(signal);

test("each location and kind has a stream, and one too many ends with an error instead of connecting for ever", async () => {
  const { stream, opened, said, ended } = await asking(17, open);
  assert.equal(opened.length, 16);
  assert.deepEqual(said.map(({ type, id, code }) => [type, id, code]), [["error", 18, "too-many-streams"]]);
  assert.deepEqual(ended, []);
  stream.close();
});

test("what is wanted later by many streams is taken together by a new connection, which may have all of them", async () => {
  const { ask, ended } = await asking(6, open);
  assert.deepEqual(ended, []);
  ask(20);
  assert.deepEqual(ended, [1012]);
});

test("a stream that a browser has no connection for ends with an error; a hub that is slow does not", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    for (const [count, refused] of [[4, []], [7, [8]]]) {
      const late = (number, signal) => (number === count ? new Promise(() => {}) : open(number, signal));
      const { stream, said } = await asking(count, late);
      mock.timers.tick(21_000);
      assert.deepEqual(said.map(({ id }) => id), refused);
      stream.close();
    }
  } finally {
    mock.timers.reset();
  }
});
