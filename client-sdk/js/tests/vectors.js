import { readFileSync } from "node:fs";

/** @param {string} name */
export const load = (name) =>
  JSON.parse(readFileSync(new URL(`../../../wire/vectors/${name}`, import.meta.url), "utf8")).vectors;
