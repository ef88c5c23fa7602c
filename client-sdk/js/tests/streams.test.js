// What a relay writes to brokers, of wire/vectors: a program in JavaScript reads it as the vectors say. There is no client
// for brokers; this holds the vectors to what Node does with bytes, JSON and percent-encoding.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { isName } from "../src/name.js";
import { load } from "./vectors.js";

const withoutPrefix = (headers, prefix) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );

const ofKafka = ({ headers }) => ({ ...withoutPrefix(headers, "ce_"), datacontenttype: headers["content-type"] });
const ofNats = ({ headers }) =>
  Object.fromEntries(Object.entries(withoutPrefix(headers, "ce-")).map(([name, value]) => [name, decodeURIComponent(value)]));
const ofAmqp = ({ properties, content_type }) => ({
  ...withoutPrefix(properties, "cloudEvents:"),
  datacontenttype: content_type,
});

for (const vector of load("streams.json")) {
  test(`read from a broker: ${vector.name}`, () => {
    const { attributes, data } = vector;
    for (const read of [ofKafka(vector.kafka), ofNats(vector.nats), ofAmqp(vector.amqp)]) assert.deepEqual(read, attributes);
    for (const value of Object.values(vector.nats.headers)) assert.match(value, /^[\x21-\x7e]+$/);
    const structured = JSON.parse(JSON.stringify({ ...attributes, data }));
    assert.deepEqual(structured.data, data);
    assert.equal(vector.kafka.key, attributes.partitionkey);
    if (vector.type === "") return;
    const [, epoch, shard] = /^([^/]+?)\.(\d+)\.(?:\d+|rewritten|complete|level\/.+)$/.exec(attributes.id);
    assert.equal(Number(shard), data.shard);
    if (vector.type !== "change") assert.equal(epoch, data.epoch);
    if (vector.type === "rewritten" || vector.type === "complete") {
      assert.equal(BigInt(attributes.sequence), BigInt(data.head));
      assert.equal(attributes.partitionkey, shard);
      return;
    }
    assert.ok(isName(data.location) && isName(data.sku));
    assert.equal(attributes.subject, `${data.location}/${data.sku}`);
    assert.ok(Number.isSafeInteger(data.seq));
    if (vector.type === "change") assert.equal(attributes.id, `${epoch}.${shard}.${data.seq}`);
    assert.equal(data.available, data.on_hand - data.reserved);
  });
}

for (const vector of load("commands.json").filter(({ type }) => type !== "dead")) {
  test(`a command on a queue, or its result: ${vector.name}`, () => {
    const { attributes, key } = vector;
    for (const read of [ofKafka(vector.kafka), ofNats(vector.nats), ofAmqp(vector.amqp)]) assert.deepEqual(read, attributes);
    if (vector.type === "result") return;
    const digest = createHash("sha256").update(`${attributes.source}\n${attributes.id}`).digest("hex");
    assert.equal(key, `ce-${digest}`);
  });
}
