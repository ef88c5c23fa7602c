import { render } from "svelte/server";
import { StockClient } from "@stockwire/client";

import App from "./App.svelte";

const { url } = JSON.parse(process.argv[2]);
process.stdout.write(render(App, { props: { client: new StockClient({ url, getToken: () => "" }) } }).body);
