/** What a badge says: in the page's language, in the shop's own words, and never more than is known. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { NAMES, everyWord, wordOf, wordsIn } from "../../src/badge/words.js";

test("a page's language is found by its first part, and English stands in for one that there is not", () => {
  for (const tag of ["de", "de-AT", "DE"]) assert.equal(wordsIn(tag).out, "Ausverkauft");
  for (const tag of ["fr-CA", "es-419", "en-GB"]) assert.notEqual(wordsIn(tag), undefined);
  for (const tag of [null, "", "nl", "den", "constructor", "__proto__"]) assert.equal(wordsIn(tag).out, "Sold out");
});

test("every language has every word, and no state without a word of its own", () => {
  for (const tag of ["en", "de", "fr", "es"]) {
    const words = NAMES.map((name) => wordsIn(tag)[name]);
    assert.equal(new Set(words).size, NAMES.length, tag);
    assert.ok(wordsIn(tag).stale.includes("{word}"), tag);
  }
});

test("what may be old is said in other words, and a shop's own are taken to the letter", () => {
  const own = { ...wordsIn("en"), out: "<img onerror> $& \u202e", stale: "{word}? {word}!" };
  assert.equal(wordOf(own, "out", false), "<img onerror> $& \u202e");
  assert.equal(wordOf(own, "out", true), "<img onerror> $& \u202e? <img onerror> $& \u202e!");
  assert.equal(wordOf({ ...own, stale: "unknown" }, "out", true), "unknown");
  const room = everyWord(own).split("\n");
  for (const state of /** @type {const} */ (["in-stock", "low", "out", "back"])) {
    for (const stale of [true, false]) assert.ok(room.includes(wordOf(own, state, stale)));
  }
});
