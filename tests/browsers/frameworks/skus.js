/** Those of 200 cards. */
export const SKUS = Array.from({ length: 200 }, (_, number) => `C-${number}`);
