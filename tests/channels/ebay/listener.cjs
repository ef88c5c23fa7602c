// eBay's own listener of notices, its network led to our server. Arguments: our server's URL, client id and secret, the
// verification token. Prints the URL of the endpoint, then a line for each notice: what the listener made of it, and its id.
"use strict";
const http = require("node:http");
const https = require("node:https");
const { createRequire } = require("node:module");

const [folder, api, clientId, clientSecret, verificationToken] = process.argv.slice(2);
const from = createRequire(`${folder}/package.json`);
const { hostname, port } = new URL(api);
https.request = (options, answered) => http.request({ ...options, hostname, port }, answered);
const root = "event-notification-nodejs-sdk/lib";
from(`${root}/constants`).NOTIFICATION_API_ENDPOINT_PRODUCTION = `${api}/commerce/notification/v1/public_key/`;
const listener = from(root);
const validator = from(`${root}/validator`);
const config = { clientId, clientSecret, environment: "PRODUCTION" };

const server = http.createServer((request, response) => {
  const url = `http://127.0.0.1:${server.address().port}/notices`;
  const asked = new URL(request.url, url);
  if (request.method === "GET") {
    const code = asked.searchParams.get("challenge_code");
    const challengeResponse = listener.validateEndpoint(code, { endpoint: url, verificationToken });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ challengeResponse }));
    return;
  }
  let body = "";
  request.on("data", (chunk) => { body += chunk; });
  request.on("end", async () => {
    const message = JSON.parse(body);
    const signature = request.headers["x-ebay-signature"];
    const good = await validator.validateSignature(message, signature, config);
    message.notification.publishAttemptCount += 1;
    const tampered = await validator.validateSignature(message, signature, config);
    response.statusCode = good ? 204 : 412;
    response.end();
    console.log(JSON.stringify({ good, tampered, order: message.notification.data.order.orderId }));
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/notices` })));
