/** Makes `<stock-badge>` known to the page. The first script that does so wins: a second one harms nothing. */
import { StockBadge } from "./element.js";
export { StockBadge };
