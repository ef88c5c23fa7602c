/**
 * Once for all calls until then: `run` in the next frame where somebody looks, else in a task of its own.
 *
 * @param {() => void} run
 */
export declare function atNextFrame(run: () => void): () => void;
