/** Watches a hub for the badges of a page: of the client what somebody without a token needs, who names each sku. */
import { View } from "../view.js";
export declare class Visitor {
    #private;
    /** @param {string} hub its read port */
    constructor(hub: string);
    /** @param {string} location
     * @param {string} sku
     * @returns {View<import("../level.js").Availability>} throws for what is no name, and when this page was turned away */
    watch(location: string, sku: string): View<import("../level.js").Availability>;
}
