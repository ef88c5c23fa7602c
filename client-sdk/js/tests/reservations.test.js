/** The client asks, and reads, as wire/vectors/reservations.json says. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { StockClient, held, heldFrom } from "../src/index.js";
import { load } from "./vectors.js";

const CLASSES = {
  "insufficient-stock": "OutOfStock",
  "reservation-state": "ReservationState",
  "reservation-expired": "ReservationExpired",
  "reservation-limit": "HoldLimit",
  "not-found": "NotFound",
};

for (const { name, steps } of load("reservations.json")) {
  for (const [number, step] of steps.entries()) {
    if (step.path.startsWith("/v1/reservations")) test(`${name}: ${number}`, () => follow(step));
  }
}

async function follow(step) {
  let asked;
  const client = new StockClient({
    url: "http://ledger.example",
    fetch: async (url, init) => {
      asked = new Request(url, init);
      const document = "reservation" in step.answer ? { events: [], levels: [], ...step.answer } : step.answer;
      const headers = step.replayed ? { "Idempotency-Replayed": "true" } : undefined;
      return Response.json(document, { status: step.status, headers });
    },
  });
  const outcome = await call(client.reservations, step).catch((error) => error);
  await asIsAsked(asked, step);
  if (outcome instanceof Error) asIsRefused(outcome, step.answer);
  else if (Array.isArray(outcome)) assert.deepEqual(outcome, step.answer.reservations);
  else {
    const { result, ...reservation } = outcome;
    assert.deepEqual(reservation, step.answer.reservation ?? step.answer);
    if (result) assert.deepEqual([result.replayed, result.key], [!!step.replayed, step.key]);
    if (result) assert.deepEqual(result.levels, step.answer.levels ?? []);
  }
}

async function asIsAsked(request, { method, path, key = null, body = null }) {
  const url = new URL(request.url);
  url.searchParams.delete("limit");
  const sent = [request.method, url.pathname + url.search, request.headers.get("idempotency-key")];
  assert.deepEqual(sent, [method, path, key]);
  const text = await request.text();
  assert.deepEqual(text ? JSON.parse(text) : null, body);
}

function asIsRefused(error, { type, status, ...members }) {
  assert.equal(error.name, CLASSES[type], String(error));
  for (const [member, value] of Object.entries(members)) {
    if (member !== "detail" && member !== "title") assert.deepEqual(error[member] ?? null, value, member);
  }
}

async function call(reservations, { method, path, body = {}, key }) {
  const [before, query] = path.split("?");
  const [id, step] = before.split("/").slice(3);
  const lines = body.lines?.map(wanted);
  if (method === "GET" && id) return reservations.get(id);
  if (method === "GET") return Array.fromAsync(reservations.list(Object.fromEntries(new URLSearchParams(query))));
  if (!id) return reservations.reserve(lines, { ...body, key });
  if (step === "extend") return reservations.extend(id, body.ttl_s, { key });
  if (step === "lines") return reservations.change(id, lines, { ttl_s: body.ttl_s, key });
  return reservations[step](id, { ...body, lines, key });
}

function wanted({ sku, location, locations, quantity = null, split }) {
  return locations ? heldFrom(sku, locations, quantity, { split }) : held(sku, location, quantity);
}
