// Where a client has its tokens from.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { TOKEN, beat, level, live, made, pass, settle, sockets } from "./played_hub.js";

test("a token is asked for once at a time, with a signal, and not for ever", async () => {
  const asked = [];
  const client = made({ getToken: ({ signal }) => new Promise(() => asked.push(signal)) });
  const view = client.watch("web", ["A"]);
  client.watch("web", ["B"]);
  await pass(9_900);
  assert.equal(asked.length, 1);
  assert.equal(asked[0].aborted, false);
  await pass(2_000);
  assert.equal(asked[0].aborted, true);
  assert.equal(asked.length, 2);
  assert.equal(view.state, "connecting");
  client.close();
  assert.equal(asked[1].aborted, true);
});

test("a token that cannot be had is asked for again, and none is sent in the meantime", async () => {
  let fails = 3;
  const client = made({ getToken: async () => (fails-- > 0 ? Promise.reject(new Error("offline")) : TOKEN) });
  client.watch("web", ["A"]);
  await pass(5_000);
  assert.equal(sockets.length, 1);
  sockets[0].onopen({});
  assert.equal(sockets[0].sent[0].token, TOKEN);
});

test("why no token can be had is told once, and can be read until there is one", async () => {
  const shouted = mock.method(console, "error", () => {});
  let offline = true;
  const client = made({ getToken: async () => (offline ? Promise.reject(new Error("offline")) : TOKEN) });
  client.watch("web", ["A"]);
  await pass(15_000);
  assert.deepEqual(shouted.mock.calls.map(({ arguments: [error] }) => error.message), ["offline"]);
  assert.deepEqual([client.error?.message, client.state], ["offline", "connecting"]);
  offline = false;
  await pass(6_000);
  sockets[0].serve([level("A", 1)]);
  assert.deepEqual([client.error, client.state], [undefined, "live"]);
  offline = true;
  sockets[0].say({ type: "disconnect", code: 1012, reason: "stopping", reconnect: true, after_ms: 100 });
  await pass(15_000);
  assert.deepEqual([shouted.mock.callCount(), client.error?.message], [2, "offline"], "what the hub had said is another thing");
  shouted.mock.restore();
});

test("a ledger that is away can be read of, and is nothing to shout about", async () => {
  const shouted = mock.method(console, "error", () => {});
  const client = made({ hubs: undefined, url: "http://ledger", fetch: () => Promise.reject(new TypeError("fetch failed")) });
  client.watch("web", ["A"]);
  await pass(3_000);
  assert.deepEqual([client.error?.name, client.error?.message, shouted.mock.callCount()], ["Unavailable", "fetch failed", 0]);
  shouted.mock.restore();
});

test("a token is renewed before it ends, and one that ended meanwhile is fetched", async () => {
  let number = 0;
  const client = made({ getToken: () => `token ${++number}` });
  const view = client.watch("web", ["A"]);
  await settle();
  // By the hub's clock, whatever this machine's says
  sockets[0].serve([level("A", 1)], { expires_at: "2001-01-01T00:00:00.000000Z", expires_in_s: 20 });
  for (let second = 0; second < 17; second++) {
    sockets[0].say(beat());
    await pass(1_000);
  }
  assert.deepEqual(sockets[0].sent.filter(({ type }) => type === "refresh").map(({ token }) => token), ["token 2"]);
  sockets[0].onclose({ code: 4104, reason: "" });
  await pass(3_000);
  sockets[1].onopen({});
  assert.equal(sockets[1].sent[0].token, "token 3");
  assert.equal(view.state, "connecting");
});
