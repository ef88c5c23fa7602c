/** `<stock-badge location="web" sku="A-100">In stock</stock-badge>`: see docs/how-to/badge.md. */
export type Good = import("./shelf.js").Good;
export type Shown = import("./states.js").Shown;
/** A server that renders pages loads modules, and makes no elements.
 * @type {typeof HTMLElement} */
declare const Base: typeof HTMLElement;
export declare class StockBadge extends Base {
    #private;
    static observedAttributes: string[];
    constructor();
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(): void;
}
export {};
