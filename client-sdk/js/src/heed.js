/**
 * Foreign code: one that throws must not take anything from the others, nor be silent.
 *
 * @param {() => unknown} call
 */
export function heed(call) {
  try {
    call();
  } catch (error) {
    shout(error);
  }
}

/** @param {unknown} error */
export const shout = (error) => (globalThis.reportError ?? console.error)(error);
