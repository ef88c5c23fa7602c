// The golden vectors of wire/vectors that concern a client of the stream.
import assert from "node:assert/strict";
import { test } from "node:test";

import * as frame from "../src/frame.js";
import { LEVELS, PUBLIC, thresholds } from "../src/kind.js";
import { isName } from "../src/name.js";
import { want } from "../src/packing.js";
import { returnAfter } from "../src/reconnect.js";
import { Session } from "../src/session.js";
import { load } from "./vectors.js";

const textOf = (vector) => vector.text ?? JSON.stringify(vector.message);

// What is absent reads as null; what a later protocol added is held, and means nothing
function agree(read, decoded, path = "") {
  for (const [field, wanted] of Object.entries(decoded)) {
    const value = read[field] ?? null;
    if (wanted !== null && typeof wanted === "object") agree(value, wanted, `${path}.${field}`);
    else assert.equal(value, wanted, `${path}.${field}`);
  }
  if (Array.isArray(decoded)) assert.equal(read.length, decoded.length, path);
}

for (const vector of load("hub-to-client.json")) {
  test(`read ${vector.name}`, () => {
    const read = frame.parse(textOf(vector));
    assert.equal(read.type, vector.type);
    agree(read, vector.decoded ?? vector.message);
  });
}

for (const vector of load("ignored-by-clients.json")) {
  test(`ignore ${vector.name}`, () => {
    const session = new Session();
    session.begin("token", 0);
    assert.equal(session.receive(textOf(vector), 0), undefined);
  });
}

for (const vector of load("client-to-hub.json")) {
  test(`say ${vector.name}`, () => {
    const encoded = vector.encoded ?? vector.message;
    const { type, id, ...members } = encoded;
    assert.deepEqual(JSON.parse(frame.request(type, id, members)), encoded);
  });
}

for (const vector of load("close-codes.json")) {
  test(`return after ${vector.code}`, () => assert.equal(returnAfter(vector.code), vector.returns));
}

test("names", () => {
  for (const { name, text, is_name } of load("names.json")) assert.equal(isName(text), is_name, name);
});

const HELD = { level: ["available"], view: ["availability", "quantity"], threshold: ["raised"] };
const kindOf = ({ view, when }) => (when ? thresholds(when, view === "public") : view ? PUBLIC : LEVELS);

for (const vector of load("apply.json")) {
  test(`hold ${vector.name}`, () => {
    const session = new Session();
    const kind = kindOf(vector);
    const feed = session.feed(kind, vector.location, vector.skus !== null);
    const told = [];
    want(feed, vector.skus, { note: (level) => level && told.push([level.location, level.sku, level.raised]) });
    for (const connection of vector.connections) {
      session.begin("token", 0);
      for (const message of connection.messages) {
        const ending = session.receive(JSON.stringify(message), 0);
        assert.equal(ending?.code, message.type === "disconnect" ? message.code : undefined);
        feed.tell();
      }
      if ("closed" in connection) session.lost(connection.closed);
    }
    const fields = ["location", "sku", "version", ...HELD[kind.type]];
    const held = [...feed.entries.values()].map((entry) => entry.held).filter(Boolean);
    assert.deepEqual(held.map((level) => fields.map((field) => level[field])).sort(), vector.holds);
    assert.deepEqual(feed.packs[0].position ?? null, vector.position);
    if (vector.told) assert.deepEqual(told, vector.told);
  });
}
