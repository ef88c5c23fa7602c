/** As many as a level can hold. */
export declare const UNITS_MAX: number;
/**
 * @param {string} field
 * @param {unknown} value
 */
export declare function text(field: string, value: unknown): string;
/**
 * Undefined, or null, is left out of what is sent.
 *
 * @template T
 * @template {unknown[]} Bounds
 * @param {(field: string, value: unknown, ...bounds: Bounds) => T} check
 * @param {string} field
 * @param {unknown} value
 * @param {Bounds} bounds
 */
export declare const optional: <T, Bounds extends unknown[]>(check: (field: string, value: unknown, ...bounds: Bounds) => T, field: string, value: unknown, ...bounds: Bounds) => T | undefined;
/**
 * A whole number; by default one that every language reads exactly.
 *
 * @param {string} field
 * @param {unknown} value
 */
export declare function whole(field: string, value: unknown, least?: number, most?: number): number;
/**
 * @param {string} field
 * @param {unknown} value
 */
export declare function seconds(field: string, value: unknown, least?: number, most?: number): number;
/**
 * A sku or a location.
 *
 * @param {string} field
 * @param {unknown} value
 */
export declare function name(field: string, value: unknown): string;
/**
 * @param {string} field
 * @param {unknown} value
 */
export declare function flag(field: string, value: unknown): value is true;
/**
 * Several, each a `kind`.
 *
 * @template T
 * @param {string} field
 * @param {unknown} values
 * @param {abstract new (...given: any[]) => T} kind
 * @param {string} how  Such things are made.
 */
export declare function each<T>(field: string, values: unknown, kind: abstract new (...given: any[]) => T, how: string): T[];
/**
 * Any iterable but text, which is several characters.
 *
 * @param {string} field
 * @param {any} values
 * @returns {unknown[]}
 */
export declare function several(field: string, values: any): unknown[];
/**
 * The caller's key, or a new one: made once per call, so that every retry of the call carries the same.
 *
 * @param {unknown} key
 */
export declare function keyOf(key: unknown): string;
/**
 * @param {string} what
 * @param {unknown} id
 */
export declare function idOf(what: string, id: unknown): string;
