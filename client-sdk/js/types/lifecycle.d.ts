/**
 * What browsers do to sockets. A page that nobody looks at keeps its connection for a while and then lets it go; one
 * that is left lets it go at once, so that it can be kept for "back"; one that is looked at again, or whose network is
 * back, asks the hub at once. No timer of a hidden page is trusted: one that is late does no harm here.
 *
 * @import { Link } from "./link.js"
 */
import type { Link } from "./link.js";
/**
 * @param {Link} link
 * @param {number} hiddenFor_ms
 * @param {() => unknown} save  Is called whenever this page may be at its end.
 * @returns {() => void}  Ends it.
 */
export declare function followPage(link: Link, hiddenFor_ms: number, save: () => unknown): () => void;
