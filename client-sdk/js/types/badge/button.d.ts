/** Buttons that cannot be pressed while what they sell is sold out. */
export type Held = {
    by: Set<HTMLElement>;
    found: boolean;
    said: string[];
};
/** @param {HTMLElement} badge what is said there is the reason
 * @param {string} id of the button */
export declare function hold(badge: HTMLElement, id: string): void;
/** @param {HTMLElement} badge */
export declare function release(badge: HTMLElement): void;
