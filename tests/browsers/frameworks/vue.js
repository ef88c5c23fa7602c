import { createSSRApp } from "vue";

import App from "./App.vue";
import { prepared } from "./prepared.js";

const app = createSSRApp(App, { client: prepared().client });
app.config.warnHandler = (message) => globalThis.seen.mismatches.push(message);
app.mount("#app");
