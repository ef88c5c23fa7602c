/**
 * Makes what is committed beside its source, and holds the sizes:
 *
 *     node scripts/build.mjs [--to FOLDER]
 *
 * - `types/`: the declarations that programs in TypeScript read
 * - `hub/reads/badge.js`: the badge with its client in one file, which hubs serve
 *
 * `--to FOLDER`: into `FOLDER/types` and `FOLDER/badge.js` instead, for the test that holds both equal to their source.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";

import { rolldown } from "rolldown";

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)));
const KB = 1024;
/** @type {Record<string, number>} */
const SIZES_MAX = { client: 8 * KB, "commands, on use": 7.5 * KB, "react, beside it": KB, "badge with client": 11 * KB };
const PROGRAM = "program.js";
const NEEDED_MAX = 2 * KB;
// What is loaded when it is needed, which a bundler makes files of their own of
const COMMANDS = "./ledger.js";
const NEEDED_BY_FEW = ["changes", "event_stream", "polling", "shared", "storage", "tidy", "tokens", "way"].map(
  (name) => `./${name}.js`,
);
const LATER = [COMMANDS, ...NEEDED_BY_FEW];
// Of these the badge asks for none: it iterates over no view
const NOT_IN_BADGE = ["./changes.js"];
const TARGET = ["es2022", "safari17"]; // what all that is in Baseline 2024 takes without being rewritten

const { values } = parseArgs({ options: { to: { type: "string" } } });
const types = values.to ? resolve(values.to, "types") : join(PACKAGE, "types");
const badge = values.to ? resolve(values.to, "badge.js") : join(PACKAGE, "../../hub/reads/badge.js");

declarations(types);
process.exitCode = held(await sizes());

/** @param {string} to */
function declarations(to) {
  rmSync(to, { recursive: true, force: true });
  const tsc = join(PACKAGE, "node_modules/typescript/bin/tsc");
  const arguments_ = [tsc, "-p", join(PACKAGE, "tsconfig.types.json"), "--outDir", to];
  execFileSync(process.execPath, arguments_, { stdio: "inherit" });
}

/** Bytes of each, gzip of the minified bundle. */
async function sizes() {
  const watching = gzipped(await bundled('export { StockClient } from "./src/index.js";', LATER));
  const commands = gzipped(await bundled('export * from "./src/index.js";', NEEDED_BY_FEW)) - watching;
  /** @type {Record<string, number>} */
  const found = { client: watching, "commands, on use": commands };
  for (const part of NEEDED_BY_FEW) {
    const others = LATER.filter((one) => one !== part);
    const with_ = await bundled(`export { StockClient } from "./src/index.js"; export * from "./src/${part.slice(2)}";`, others);
    found[`${part.slice(2, -3)}, if needed`] = gzipped(with_) - watching;
  }
  if (existsSync(join(PACKAGE, "src/react.js"))) {
    const both = await bundled('export { StockClient } from "./src/index.js"; export * from "./src/react.js";', LATER);
    found["react, beside it"] = gzipped(both) - watching;
  }
  if (existsSync(join(PACKAGE, "src/badge/index.js"))) {
    const script = await bundled('import "./src/badge/index.js";', NOT_IN_BADGE);
    mkdirSync(dirname(badge), { recursive: true });
    writeFileSync(badge, script);
    found["badge with client"] = gzipped(script);
  }
  return found;
}

/**
 * @param {string} program
 * @param {string[]} without  What is loaded on first use, which a bundler makes a file of its own of.
 */
async function bundled(program, without) {
  const bundle = await rolldown({
    input: PROGRAM,
    cwd: PACKAGE,
    external: (name) => name === "react" || without.includes(name),
    transform: { target: TARGET },
    checks: { moduleLevelDirective: false }, // of React, which whoever bundles it heeds
    plugins: [
      {
        name: "program",
        resolveId: (name) => (name === PROGRAM ? join(PACKAGE, PROGRAM) : undefined),
        load: (id) => (id === join(PACKAGE, PROGRAM) ? program : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: "esm", minify: true, comments: false, codeSplitting: false });
  await bundle.close();
  return output[0].code;
}

/** @param {string} script */
function gzipped(script) {
  return gzipSync(script, { level: 9 }).length;
}

/**
 * The exit status: 1 if one is larger than it may be.
 *
 * @param {Record<string, number>} found
 */
function held(found) {
  let status = 0;
  for (const [name, bytes] of Object.entries(found)) {
    const most = SIZES_MAX[name] ?? NEEDED_MAX;
    const over = bytes > most;
    if (over) status = 1;
    const [size, bound] = [bytes, most].map((number) => number.toLocaleString("en").padStart(7));
    console.log(`${name.padEnd(24)}${size} of ${bound} bytes gzip${over ? ": TOO LARGE" : ""}`);
  }
  return status;
}
