/**
 * @import { GetToken } from "./link.js"
 */
import type { GetToken } from "./link.js";
/**
 * The connection and commands of a client wait for the same token: some can be fetched once only. What hangs is given up
 * with whoever asked first.
 *
 * @param {GetToken} getToken
 * @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export declare function tokenOf(getToken: GetToken, signal: AbortSignal): Promise<string>;
