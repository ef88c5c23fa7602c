// Every page: what it asks for, and what draws it.

import * as holds from "./holds.js";
import * as launch from "./launch.js";
import * as level from "./level.js";
import * as log from "./log.js";
import * as nodes from "./nodes.js";
import * as problems from "./problems.js";
import * as stock from "./stock.js";

/** @typedef {import("../base/routes.js").Page} Page */

/** @type {Record<Page, import("../base/app.js").Asks>} */
export const asks = {
  launch: launch.asks, stock: stock.asks, level: level.asks, log: log.asks, nodes: nodes.asks,
    problems: problems.asks, holds: holds.asks,
};

/** @type {Record<Page, (props: {app: import("../base/app.js").App, data: any}) => any>} */
export const screens = {
  launch: launch.Launch, stock: stock.Stock, level: level.Level, log: log.Log, nodes: nodes.Nodes,
    problems: problems.Problems, holds: holds.Holds,
};
