/** As `program.ts`, in React. */
import { StockProvider, useStock, useStockState, useStocks } from "@stockwire/client/react";
import { StockClient } from "@stockwire/client";

declare const client: StockClient;

export function Card({ sku }: { sku: string }) {
  const level = useStock("web", sku);
  const available: number | undefined = level?.available;
  const seen = useStock("web", sku, { view: "public" });
  const quantity: string | undefined = seen?.quantity;
  const state: "connecting" | "live" | "stale" | "closed" = useStockState();
  const all: number = [...useStocks("web", null).values()].reduce((sum, one) => sum + one.on_hand, 0);
  const publicly = useStocks("web", [sku], { view: "public" }).get(sku)?.availability;
  return <StockProvider client={client}><b>{available} {quantity} {state} {all} {publicly}</b></StockProvider>;
}

export function Wrong() {
  // @ts-expect-error A client is needed
  const without = <StockProvider />;
  // @ts-expect-error The location comes first, and then the sku
  const one = useStock("web");
  // @ts-expect-error The public sees no exact numbers
  const exact = useStock("web", "A-100", { view: "public" })?.available;
  // @ts-expect-error It may not be known yet
  const known: number = useStock("web", "A-100").available;
  // @ts-expect-error A list, or null for all
  const several = useStocks("web", "A-100");
  return <>{without}{one}{exact}{known}{several}</>;
}
