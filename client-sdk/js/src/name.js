// Characters that leave no mark: good beside what does, and no name alone. The list of wire/names.py
const INVISIBLE =
  "\\xad\\u061c\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufe00-\\ufe0f\\ufeff\\ufff0-\\ufffb" +
  "\\u{13430}-\\u{1343f}\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}" +
  "\\u115f\\u1160\\u17b4\\u17b5\\u2800\\u3164\\uffa0\\u{1d159}" +
  "\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f";
const NAME = new RegExp(`^(?![${INVISIBLE}]+$)[^\\p{White_Space}/*\\x00-\\x20\\x7f-\\xa0\\ud800-\\udfff]{1,64}$`, "u");

/**
 * Whether this can be a sku or a location: 1 to 64 visible characters (code points) without `/` and `*`.
 *
 * @param {unknown} value
 * @returns {value is string}
 */
export const isName = (value) => typeof value === "string" && NAME.test(value);
