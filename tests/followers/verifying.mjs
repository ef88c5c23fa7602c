// Reads deliveries as receivers in node do: [{reader, key, headers, body}] in the file that is named, the body in base64.
// Prints for each whether its signature was found good.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createPublicKey, verify } from "node:crypto";
import { pathToFileURL } from "node:url";

const [file, modules] = process.argv.slice(2);
const { resolve } = createRequire(`${modules}/`);
const [standard, svix] = await Promise.all(
  ["standardwebhooks", "svix"].map((name) => import(pathToFileURL(resolve(name)).href)),
);

// RFC 8410: what stands before the 32 bytes of an ed25519 key.
const PREFIX = Buffer.from("302a300506032b6570032100", "hex");

const readers = {
  standardwebhooks: ({ key, headers, body }) => new standard.Webhook(key).verify(body, headers),
  svix: ({ key, headers, body }) => new svix.Webhook(key).verify(body, headers),
  crypto({ key, headers, body }) {
    const raw = Buffer.from(key.slice("whpk_".length), "base64");
    const publicKey = createPublicKey({ key: Buffer.concat([PREFIX, raw]), format: "der", type: "spki" });
    const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
    const found = headers["webhook-signature"].split(" ").map((one) => one.split(","));
    const good = found.some(
      ([version, signature]) => version === "v1a" && verify(null, signed, publicKey, Buffer.from(signature, "base64")),
    );
    if (!good) throw new Error("no signature fits");
  },
};

const good = JSON.parse(readFileSync(file, "utf8")).map((delivery) => {
  try {
    readers[delivery.reader]({ ...delivery, body: Buffer.from(delivery.body, "base64").toString() });
    return true;
  } catch {
    return false;
  }
});
console.log(JSON.stringify(good));
