import { hydrate } from "svelte";

import App from "./App.svelte";
import { prepared } from "./prepared.js";

const { client } = prepared();
const { warn } = console;
console.warn = (...said) => {
  globalThis.seen.mismatches.push(said.join(" "));
  warn(...said);
};
hydrate(App, { target: document.getElementById("app"), props: { client } });
