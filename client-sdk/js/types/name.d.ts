/**
 * Whether this can be a sku or a location: 1 to 64 visible characters (code points) without `/` and `*`.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
export declare const isName: (value: unknown) => value is string;
