// Where frames do not come (an iframe out of sight, a tab that was hidden meanwhile), a timer does
const FRAME_MS_MAX = 250;

/**
 * Once for all calls until then: `run` in the next frame where somebody looks, else in a task of its own.
 *
 * @param {() => void} run
 */
export function atNextFrame(run) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let frame = 0;
  const now = () => {
    clearTimeout(timer);
    globalThis.cancelAnimationFrame?.(frame);
    timer = undefined;
    run();
  };
  return () => {
    if (timer !== undefined) return;
    const isSeen = globalThis.document?.hidden === false;
    timer = setTimeout(now, isSeen ? FRAME_MS_MAX : 0);
    if (isSeen) frame = requestAnimationFrame(now);
  };
}
