/** Makes `<stock-badge>` known to the page. The first script that does so wins: a second one harms nothing. */

import { StockBadge } from "./element.js";

const elements = globalThis.customElements; // a server that renders pages has none
if (elements && !elements.get("stock-badge")) elements.define("stock-badge", StockBadge);

export { StockBadge };
