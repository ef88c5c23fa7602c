// Text that others wrote (skus, names, reasons, owners), with the characters that leave no mark made visible. Pure.
// A sku that holds a right-to-left mark looks like another one: whoever decides by what is on the screen must see it.

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u;

/** @typedef {{text: string, mark: boolean}} Piece `mark`: `text` names a character, as U+202E */

/**
 * @param {string} text
 * @returns {Piece[]}
 */
export function pieces(text) {
  if (!UNSEEN.test(text)) return [{ text, mark: false }];
  /** @type {Piece[]} */
  const found = [];
  for (const character of text) {
    const last = found[found.length - 1];
    if (UNSEEN.test(character)) found.push({ text: named(character), mark: true });
    else if (last && !last.mark) last.text += character;
    else found.push({ text: character, mark: false });
  }
  return found;
}

/** The same as plain text, for titles and labels. @param {string} text */
export const plain = (text) => pieces(text).map((piece) => (piece.mark ? `[${piece.text}]` : piece.text)).join("");

/** @param {string} character */
const named = (character) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
