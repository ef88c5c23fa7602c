// The console's page: one state, drawn at most once a frame.

import { App } from "./base/app.js";
import { Frames } from "./base/frames.js";
import { html } from "./base/html.js";
import { Shortcuts } from "./base/shortcuts.js";
import * as theme from "./base/theme.js";
import { asks } from "./screens/all.js";
import { Shell } from "./screens/shell.js";
import { render } from "./vendor/preact/preact.mjs";

const TICK_MS = 1_000;

const place = /** @type {HTMLElement} */ (document.getElementById("console"));
const frames = new Frames(() => render(html`<${Shell} app=${app} />`, place));
const app = new App({ asks, draw: (painted) => frames.ask(painted) });
const shortcuts = new Shortcuts(app);

theme.follow(() => app.draw());
addEventListener("popstate", () => app.follow());
addEventListener("click", (event) => shortcuts.click(event));
addEventListener("keydown", (event) => shortcuts.press(event));
for (const woken of ["online", "pageshow"]) addEventListener(woken, () => app.live.hurry());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && app.live.hurry());
setInterval(() => app.tick(), TICK_MS);
void app.start();
