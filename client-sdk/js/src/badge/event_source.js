/** The stream where WebSockets are blocked, as browsers read it: whoever has no key to send may leave it to them. */

import { TOO_MANY } from "../reconnect.js";
import { Streaming } from "../streaming.js";

export class EventStream extends Streaming {
  /** @override
   * @param {import("../made_socket.js").Request} request
   * @param {string} address
   * @param {AbortSignal} givenUp */
  follow({ id }, address, givenUp) {
    const source = new EventSource(address);
    givenUp.addEventListener("abort", () => source.close());
    source.onmessage = ({ data }) => this.pass(id, data);
    // Why, browsers do not say. One that is refused is not tried again by them: for that page there is no place
    source.onerror = () => this.end(source.readyState === EventSource.CLOSED ? TOO_MANY : null, "the event stream ended");
  }
}
