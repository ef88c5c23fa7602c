// At most one rendering a frame, however many messages came since. Where nobody looks there are no frames: nothing is
// drawn.

/** Whoever changed something asks; `painted` is called when it can be seen. */
export class Frames {
  /**
   * @param {() => void} draw
   * @param {(painted: () => void) => void} [request] of the next frame
   */
  constructor(draw, request = requestAnimationFrame) {
    this.draw = draw;
    this.request = request;
    this.waiting = false;
    /** @type {(() => void)[]} called in the frame after the next drawing: what was drawn is on the screen then */
    this.afterwards = [];
    this.drawn = 0;
  }

  /** @param {() => void} [painted] */
  ask(painted) {
    if (painted) this.afterwards.push(painted);
    if (this.waiting) return;
    this.waiting = true;
    const request = this.request;
    request(() => this.#frame());
  }

  #frame() {
    this.waiting = false;
    const afterwards = this.afterwards;
    this.afterwards = [];
    this.drawn += 1;
    this.draw();
    const request = this.request;
    if (afterwards.length) request(() => afterwards.forEach((call) => call()));
  }
}
