// A client without a token.
import assert from "node:assert/strict";
import { test } from "node:test";

import { TOKEN, live, made, pass, settle, sockets } from "./played_hub.js";

test("the hub is told with the upgrade whether a token will follow", async () => {
  for (const getToken of [() => TOKEN, undefined]) made({ getToken }).watch("web", ["A"], { view: "public" });
  await settle();
  const offered = sockets.map(({ protocols }) => protocols);
  assert.deepEqual(new Set(offered), new Set([["stockwire.v1", "stockwire.token"], "stockwire.v1"]));
});

test("a visitor for whom there is no place reads now and then, is not told that it is live, and tries again", async () => {
  const paths = [];
  const view_ = { sku: "A", location: "web", version: 3, availability: "low", quantity: "1+" };
  const fetch = async (url) => {
    paths.push(url);
    return Response.json({ views: [view_] }, { headers: { ETag: '"0a-3"' } });
  };
  const client = made({ getToken: undefined, fetch });
  assert.throws(() => client.watch("web", ["A"]), { name: "Invalid" });
  const view = client.watch("web", ["A"], { view: "public" }), whole = client.watch("web", null, { view: "public" });
  await settle();
  for (const turn of [0, 1]) {
    sockets[turn].onclose({ code: 4100, reason: "crowded" });
    await pass(4_000);
  }
  assert.deepEqual([client.state, whole.state, whole.error?.code, whole.error?.reason], ["stale", "connecting", 4100, "crowded"]);
  assert.equal(paths[0], "http://hub/v1/availability/web/A");
  assert.deepEqual([view.get("A")?.quantity, view.state], ["1+", "stale"]);
  const read = paths.length;
  await pass(10_000);
  assert.ok(paths.length - read <= 2, "about one read of it in five seconds");
  for (let second = 0; second < 125 && sockets.length < 3; second++) await pass(1_000);
  assert.equal(sockets.length, 3);
  sockets[2].serve([view_]);
  assert.deepEqual([view.state, whole.state, whole.error], ["live", "live", undefined]);
});
