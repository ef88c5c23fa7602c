// What an answer of the console does to what is shown. Pure: what was held goes in, what is held now comes out.

/** @typedef {{count: number, way: "up" | "down"}} Tick how often a number has changed, and which way the last time */
/** @typedef {{sku: string, location?: string, committed_at?: string | null, ticks?: Record<string, Tick>}} Row */

/** @type {Record<string, {list: string, key: (row: any) => string, numbers: string[]}>} */
const KEYED = {
  launch: { list: "skus", key: (row) => `${row.location}/${row.sku}`, numbers: ["available", "held", "sold",
    "refused"] },
  stock: { list: "rows", key: (row) => row.sku, numbers: ["on_hand", "reserved", "available"] },
};

/** Ten minutes, as the console keeps them. */
export const POINTS_MAX = 600;

/**
 * The newest point of a chart, put at the end if it is a new one.
 * @template {{at: string}} Point
 * @param {Point[]} points
 * @param {Point | null | undefined} newest
 */
export function withPoint(points, newest) {
  const last = points.at(-1);
  if (!newest || (last && last.at >= newest.at)) return points;
  return [...points, newest].slice(-POINTS_MAX);
}

/** A tail is cut to so many events. */
export const TAIL_MAX = 100;

/**
 * @param {string} topic
 * @param {any} before what is held; null: nothing yet
 * @param {any} answer with `data`, or with `rows` and whatever else changed
 * @returns {any}
 */
export function applied(topic, before, answer) {
  const { id: _, data, rows, ...rest } = answer;
  if (data) return topic in KEYED && before ? ticked(topic, before, data) : data;
  if (!before) return before;
  if (topic === "log") return { ...before, ...rest, events: [...rows, ...before.events].slice(0, TAIL_MAX) };
  const { list, key, numbers } = /** @type {any} */ (KEYED[topic]);
  const changed = new Map(rows.map((/** @type {Row} */ row) => [key(row), row]));
  const replaced = before[list].map((/** @type {Row} */ row) => {
    const now = changed.get(key(row));
    return now ? ticking(row, now, numbers) : row;
  });
  return { ...before, ...rest, [list]: replaced };
}

/** @param {string} topic @param {any} before @param {any} data */
function ticked(topic, before, data) {
  const { list, key, numbers } = /** @type {any} */ (KEYED[topic]);
  const held = new Map(before[list].map((/** @type {Row} */ row) => [key(row), row]));
  const rows = data[list].map((/** @type {Row} */ row) => {
    const was = held.get(key(row));
    return was ? ticking(/** @type {Row} */ (was), row, numbers) : row;
  });
  return { ...data, [list]: rows };
}

/** @param {any} before @param {any} after @param {string[]} numbers */
function ticking(before, after, numbers) {
  /** @type {Record<string, Tick>} */
  const ticks = { ...before.ticks };
  const compare = (/** @type {string} */ name, /** @type {any} */ was, /** @type {any} */ is) => {
    if (typeof was !== "number" || typeof is !== "number" || was === is) return;
    ticks[name] = { count: (ticks[name]?.count ?? 0) + 1, way: is > was ? "up" : "down" };
  };
  for (const name of numbers) compare(name, before[name], after[name]);
  (after.cells ?? []).forEach((/** @type {any} */ cell, /** @type {number} */ index) =>
    compare(`cell ${index}`, before.cells?.[index]?.available, cell?.available));
  return { ...after, ticks };
}

/**
 * When the changes were committed that this answer brought; empty for the first answer, whose rows may be days old.
 * @param {string} topic
 * @param {any} before
 * @param {any} after
 * @returns {number[]} in ms
 */
export function committed(topic, before, after) {
  if (!before || !after || !(topic in KEYED)) return [];
  const { list, key } = /** @type {any} */ (KEYED[topic]);
  const held = new Map(before[list].map((/** @type {Row} */ row) => [key(row), row.committed_at]));
  return after[list]
    .filter((/** @type {Row} */ row) => row.committed_at && held.has(key(row))
      && held.get(key(row)) !== row.committed_at)
    .map((/** @type {Row} */ row) => Date.parse(/** @type {string} */ (row.committed_at)));
}
