/** What a badge says, in which language. Pure. */

/** @typedef {"in-stock" | "low" | "out" | "back"} State what is known of a level, as the badge shows it
 * @typedef {State | "stale"} Name of a word, and of the badge's attribute that goes before it
 * @typedef {Record<Name, string>} Words `stale` is said of what may be old, `{word}` in it is what was known last */

const en = words("In stock", "Few left", "Sold out", "Back in stock", "{word}? (unconfirmed)");

/** @type {Map<string, Words>} */
const WORDS = new Map([
  ["en", en],
  ["de", words("Auf Lager", "Nur noch wenige", "Ausverkauft", "Wieder da", "{word}? (unbestätigt)")],
  ["fr", words("En stock", "Presque épuisé", "Épuisé", "De retour", "{word}\u00a0? (à confirmer)")],
  ["es", words("Disponible", "Quedan pocos", "Agotado", "De nuevo disponible", "¿{word}? (sin confirmar)")],
]);

export const NAMES = /** @type {Name[]} */ (Object.keys(en));

/** Said while nothing is known yet of another sku than the one that the text inside was written for. */
export const WAITING = "…";

/** @param {string} inStock @param {string} low @param {string} out @param {string} back @param {string} stale
 * @returns {Words} */
function words(inStock, low, out, back, stale) {
  return { "in-stock": inStock, low, out, back, stale };
}

/** @param {string | null} tag as in a `lang` attribute, such as `de-AT`
 * @returns {Words} in English where there are none */
export function wordsIn(tag) {
  return WORDS.get((tag ?? "").toLowerCase().replace(/-.*/, "")) ?? en;
}

/** @param {Words} words
 * @param {State} state
 * @param {boolean} stale whether it may be old
 * @returns {string} */
export function wordOf(words, state, stale) {
  const word = words[state];
  return stale ? words.stale.replaceAll("{word}", () => word) : word; // a function: "$&" in a shop's word is its own
}

/** Everything that may come to be said, one to a line: what has room for this never changes its width.
 * @param {Words} words
 * @returns {string} */
export function everyWord(words) {
  const states = /** @type {State[]} */ (NAMES.slice(0, -1));
  return [true, false].flatMap((stale) => states.map((state) => wordOf(words, state, stale))).join("\n");
}
