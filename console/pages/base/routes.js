// Which page an address is of, and back. Pure. What is asked of a page stands in the query: a sku may be "..", which
// no path survives.

/** @typedef {"launch" | "stock" | "level" | "log" | "nodes" | "problems" | "holds"} Page */
/** @typedef {{page: Page, args: Record<string, string>}} Route */

/** In the order in which people look. `key`: with g before it. @type {{page: Page, title: string, key: string}[]} */
export const PAGES = [
  { page: "launch", title: "Launch", key: "l" },
  { page: "stock", title: "Stock", key: "s" },
  { page: "log", title: "Log", key: "o" },
  { page: "nodes", title: "Nodes", key: "n" },
  { page: "problems", title: "Problems", key: "p" },
  { page: "holds", title: "Holds", key: "h" },
];

/** @type {Record<Page, string[]>} */
const ARGS = {
  launch: ["wall"],
  stock: ["search", "location", "sort", "order"],
  level: ["location", "sku", "at"],
  log: ["sku", "location", "actor", "kind", "operation"],
  nodes: [],
  problems: [],
  holds: ["state", "location", "sku", "owner", "customer", "reference"],
};

/**
 * What is not known leads to the first page: an old bookmark is no reason for an error.
 * @param {string} path
 * @param {string} query
 * @returns {Route}
 */
export function routeOf(path, query) {
  const word = path.replace(/^\/+|\/+$/g, "");
  const page = /** @type {Page} */ (Object.hasOwn(ARGS, word) ? word : "launch");
  /** @type {Record<string, string>} */
  const args = {};
  const given = new URLSearchParams(query);
  for (const name of ARGS[page]) {
    const value = given.get(name);
    if (value) args[name] = value;
  }
  return page === "level" && !(args.sku && args.location) ? { page: "stock", args: {} } : { page, args };
}

/**
 * @param {Page} page
 * @param {Record<string, string | undefined | null>} [args]
 */
export function addressOf(page, args = {}) {
  const query = new URLSearchParams();
  for (const name of ARGS[page]) {
    const value = args[name];
    if (value) query.set(name, value);
  }
  const text = query.toString();
  return `/${page}${text ? `?${text}` : ""}`;
}

/** @param {Route} route */
export function titleOf({ page, args }) {
  if (page === "level") return `${args.sku} at ${args.location}`;
  return PAGES.find((known) => known.page === page)?.title ?? "Stockwire";
}
