/** What whoever watches is held to before anything is sent. */
/** Whether a name leaves a mark at all, which is a long list of characters, the hub says. */
export declare const NAME: RegExp;
/** A page that nobody looks at keeps its connection for so long. */
export declare const HIDDEN_FOR_MS = 300000;
