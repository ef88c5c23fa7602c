/** A page of cards: as a server renders it, and as it goes on in the browser. */
import { StrictMode, useEffect, useState } from "react";

import { StockProvider, useStock, useStockState, useStocks } from "@stockwire/client/react";

import { Card } from "./Card.jsx";
import { SKUS } from "./skus.js";

export function Page({ client, initial }) {
  const [gone, setGone] = useState(false);
  useEffect(() => void (document.body.dataset.mounted = "true"), []);
  return (
    <StrictMode>
      <StockProvider client={client}>
        {gone ? <p id="gone">gone</p> : <Shown client={client} initial={initial} leave={() => setGone(true)} />}
      </StockProvider>
    </StrictMode>
  );
}

function Shown({ client, initial, leave }) {
  const [many, setMany] = useState(false);
  const state = useStockState();
  const known = useStocks("web", ["A-100", "B-200"]);
  const none = useStocks("web", []);
  const first = useStock("web", "A-100", { initial });
  return (
    <>
      <p id="state">{state}</p>
      <p id="sum">{[...known.values(), ...none.values()].reduce((sum, level) => sum + level.available, 0)}</p>
      <p id="first">{first?.available}</p>
      <p id="card"><Card location="web" sku="A-100" /></p>
      {many && SKUS.map((sku) => <Card key={sku} location="web" sku={sku} />)}
      <button id="buy" onClick={() => client.stock.sell("A-100", "web")}>buy</button>
      <button id="many" onClick={() => setMany(!many)}>200 cards</button>
      <button id="leave" onClick={leave}>leave</button>
    </>
  );
}
