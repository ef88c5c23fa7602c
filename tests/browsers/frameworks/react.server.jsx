import { renderToString } from "react-dom/server";
import { StockClient } from "@stockwire/client";

import { Page } from "./app.jsx";

const { url, initial } = JSON.parse(process.argv[2]);
process.stdout.write(renderToString(<Page client={new StockClient({ url, getToken: () => "" })} initial={initial} />));
