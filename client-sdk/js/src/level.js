/**
 * What the ledger says of stock, as it stands on the wire; each is frozen.
 *
 * A level is absolute: the newest `version` wins, so that seeing one twice or missing one does no harm. At version 0
 * nothing has ever been booked, `kind` and `committed_at` are null.
 *
 * @typedef {Readonly<{
 *   sku: string, location: string, version: number, on_hand: number, reserved: number, available: number,
 *   kind: string | null, committed_at: string | null, shard: number, seq: number,
 * }>} Level
 */
export {};
