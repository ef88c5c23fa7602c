// Which rows of a long table are in sight. Pure.

/** Rows kept ready above and below: a flick of the wheel shows no gap. */
export const MARGIN = 12;

/** @typedef {{first: number, count: number}} Span */

/**
 * @param {number} scrolled how far, in px
 * @param {number} height of what is in sight, in px
 * @param {number} row height of one row, in px
 * @param {number} total
 * @returns {Span}
 */
export function inSight(scrolled, height, row, total) {
  const first = Math.max(0, Math.floor(scrolled / row) - MARGIN);
  const last = Math.min(total, Math.ceil((scrolled + height) / row) + MARGIN);
  return first < last ? { first, count: last - first } : { first: 0, count: Math.min(total, 2 * MARGIN) };
}

/**
 * Which rows to ask for, in whole steps: scrolling by a row is no reason to ask again.
 * @param {Span} span
 * @param {number} step
 * @param {number} most that one question may ask for
 * @returns {Span}
 */
export function askedFor({ first, count }, step, most) {
  const from = Math.floor(first / step) * step;
  const until = Math.ceil((first + count) / step) * step;
  return { first: from, count: Math.min(most, Math.max(step, until - from)) };
}

/**
 * How far to scroll so that row `index` is in sight; null if it is already.
 * @param {number} index
 * @param {number} scrolled
 * @param {number} height
 * @param {number} row
 */
export function scrolledTo(index, scrolled, height, row) {
  if (index * row < scrolled) return index * row;
  if ((index + 1) * row > scrolled + height) return (index + 1) * row - height;
  return null;
}

/**
 * Where a key leads from a row; null: no key of a table.
 * @param {string} key
 * @param {number} index
 * @param {number} page rows
 * @param {number} total
 */
export function moved(key, index, page, total) {
  /** @type {Record<string, number>} */
  const to = { ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0,
    End: total - 1 };
  const next = to[key];
  return next === undefined || total === 0 ? null : Math.max(0, Math.min(total - 1, next));
}
