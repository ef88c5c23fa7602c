// What the hooks hand to React, with a React of the test's own.
import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";

const REACT = `
  export const createContext = () => ({}), createElement = () => ({});
  export const useContext = () => globalThis.client, useMemo = (make) => make();
  export const useSyncExternalStore = (subscribe, get) => ({ subscribe, get });
`;
registerHooks({
  resolve: (name, context, next) =>
    name === "react" ? { url: `data:text/javascript,${encodeURIComponent(REACT)}`, shortCircuit: true } : next(name, context),
});
const { useStock, useStocks } = await import("../src/react.js");

/** A view of which the test says what is held. */
function watched(levels) {
  const held = new Map(levels.map((level) => [level.sku, level]));
  let tell = () => {};
  const view = {
    state: "connecting",
    get: (sku) => held.get(sku),
    values: () => held.values(),
    subscribe: (listener) => {
      tell = (changed) => listener(view, changed);
      tell([...held.values()]);
      return () => {};
    },
    close() {},
  };
  globalThis.client = { watch: () => view };
  return { view, held, tell: (changed = []) => tell(changed) };
}

test("a level that goes leaves the map, and a state that changes is no new map", () => {
  const { held, tell } = watched([{ sku: "A" }, { sku: "B" }]);
  const { subscribe, get } = useStocks("web", null);
  subscribe(() => {});
  const before = get();
  assert.deepEqual([...before.keys()], ["A", "B"]);
  tell();
  assert.equal(get(), before);
  held.delete("A");
  tell();
  assert.deepEqual([...get().keys()], ["B"]);
});

test("what was there at first is not shown again once something else was known", () => {
  const initial = { sku: "A", version: 1 };
  for (const levels of [[{ sku: "A", version: 9 }], []]) {
    const { view, held, tell } = watched(levels);
    const { subscribe, get } = useStock("web", "A", { initial });
    assert.equal(get(), initial);
    subscribe(() => {});
    assert.equal(get(), levels[0] ?? initial);
    held.clear();
    view.state = "live";
    tell();
    assert.equal(get(), undefined, "a complete snapshot does not have it");
    view.state = "connecting";
    assert.equal(get(), undefined);
  }
});
