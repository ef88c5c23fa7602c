import { hydrateRoot } from "react-dom/client";

import { Page } from "./app.jsx";
import { prepared } from "./prepared.js";

const { client, initial } = prepared();
hydrateRoot(document.getElementById("app"), <Page client={client} initial={initial} />, {
  onRecoverableError: (error) => globalThis.seen.mismatches.push(String(error)),
});
