import { createSSRApp } from "vue";
import { renderToString } from "vue/server-renderer";
import { StockClient } from "@stockwire/client";

import App from "./App.vue";

const { url } = JSON.parse(process.argv[2]);
process.stdout.write(await renderToString(createSSRApp(App, { client: new StockClient({ url, getToken: () => "" }) })));
