/** Answers of a ledger, as JSON lines from standard input, to errors: class, fields. */
import { createInterface } from "node:readline";

import { read } from "../../client-sdk/js/src/answer.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { status, body, retryAfter } = JSON.parse(line);
  let error;
  try {
    read({ status, body, retryAfter });
  } catch (thrown) {
    error = thrown;
  }
  const { name, key, ...fields } = error;
  console.log(JSON.stringify({ name, ...fields }));
}
