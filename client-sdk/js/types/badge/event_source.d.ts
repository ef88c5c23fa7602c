/** The stream where WebSockets are blocked, as browsers read it: whoever has no key to send may leave it to them. */
import { Streaming } from "../streaming.js";
export declare class EventStream extends Streaming {
    /** @override
     * @param {import("../made_socket.js").Request} request
     * @param {string} address
     * @param {AbortSignal} givenUp */
    follow({ id }: import("../made_socket.js").Request, address: string, givenUp: AbortSignal): void;
}
