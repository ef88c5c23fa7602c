// What is done to a button that is held, with as much of a page as that needs.
import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {unknown[]} */
let observed = [];
class Button {
  disabled = false;
  attributes = new Map();
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }
  hasAttribute(name) {
    return this.attributes.has(name);
  }
  setAttribute(name, value) {
    this.attributes.set(name, value);
  }
  removeAttribute(name) {
    this.attributes.delete(name);
  }
}
Object.assign(globalThis, {
  MutationObserver: class {
    disconnect() {
      observed = [];
    }
    observe(root) {
      observed.push(root);
    }
  },
  document: { getElementById: () => null },
});
const { hold, release } = await import("../../src/badge/button.js");

/** A badge in a shadow root of its own, with what is in there. */
function shadow(id) {
  const root = { button: undefined, getElementById: () => root.button };
  return { root, badge: { id, getRootNode: () => root } };
}

test("what a theme says of a button while it is held stays when it is let go of", () => {
  const { root, badge } = shadow("one");
  const button = (root.button = new Button());
  button.setAttribute("aria-describedby", "price");
  hold(badge, "buy");
  assert.equal(button.getAttribute("aria-describedby"), "price one");
  button.setAttribute("aria-describedby", "price one delivery");
  const other = { ...badge, id: "two" };
  hold(other, "buy");
  assert.equal(button.getAttribute("aria-describedby"), "price delivery one two");
  release(other);
  release(badge);
  assert.deepEqual([...button.attributes], [["aria-describedby", "price delivery"]]);
});

test("a badge that the page itself names as the reason stays it", () => {
  const { root, badge } = shadow("one");
  const button = (root.button = new Button());
  button.setAttribute("aria-describedby", "one");
  hold(badge, "buy");
  assert.equal(button.getAttribute("aria-describedby"), "one");
  release(badge);
  assert.equal(button.getAttribute("aria-describedby"), "one");
});

test("a button that comes later in a shadow root is seen, and none is looked for in vain", () => {
  const { root, badge } = shadow("one");
  hold(badge, "buy");
  assert.deepEqual(observed, [document, root]);
  release(badge);
  assert.deepEqual(observed, []);
});
