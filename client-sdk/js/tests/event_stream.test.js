// The stream where WebSockets are blocked, by a hub that the test plays.
import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStream } from "../src/event_stream.js";

/** What it says when the hub answers so. */
async function saidOf(status, headers = {}) {
  const said = [];
  const stream = new EventStream("http://hub", async () => new Response("{}", { status, headers }));
  const ended = new Promise((resolve) => (stream.onclose = resolve));
  stream.onmessage = ({ data }) => said.push(JSON.parse(data));
  stream.send(JSON.stringify({ type: "subscribe", id: 2, location: "web", skus: ["A"], view: "public" }));
  const { code } = await ended;
  return { said, code };
}

test("a hub without a place is left alone for as long as it asks for", async () => {
  for (const status of [429, 503]) {
    const { said, code } = await saidOf(status, { "Retry-After": "17" });
    assert.deepEqual(said.map(({ type, after_ms, reconnect }) => [type, after_ms, reconnect]), [["disconnect", 17_000, true]]);
    assert.equal(code, 4100);
  }
});

test("one that does not say for how long is left alone for the usual pause", async () => {
  assert.deepEqual(await saidOf(503), { said: [], code: 4100 });
  assert.deepEqual(await saidOf(500), { said: [], code: null });
});
