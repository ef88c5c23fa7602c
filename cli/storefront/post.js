const TIMEOUT_MS = 8_000;

/**
 * Ask the shop's own back end. Rejects if there was no answer.
 *
 * @param {string} path
 * @param {object} content
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ ok: boolean, status: number, body: any }>}
 */
export async function post(path, content, signal) {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
    signal: signal ? AbortSignal.any([signal, late]) : late,
  });
  return { ok: answer.ok, status: answer.status, body: await answer.json() };
}
