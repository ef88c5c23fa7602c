// Shopify's own client asks the strict server: node client.mjs PEERS URL VERSION, questions as JSON on the last argument.
// The client always speaks https to a domain of Shopify's: its requests are sent on to the server.
import { createRequire } from "node:module";

const [peers, url, version, questions] = process.argv.slice(2);
const { createAdminApiClient } = createRequire(`${peers}/package.json`)("@shopify/admin-api-client");

const answers = [];
for (const { token, operation, variables, apiVersion, raw } of JSON.parse(questions)) {
  const client = createAdminApiClient({
    storeDomain: "stockwire-tests.myshopify.com",
    apiVersion: version,
    accessToken: token,
    customFetchApi: (address, init) => fetch(address.replace("https://stockwire-tests.myshopify.com", url), init),
  });
  if (raw) {
    const response = await client.fetch(operation, { variables });
    answers.push({ status: response.status, body: await response.json() });
  } else {
    const { data, errors, extensions } = await client.request(operation, { variables, apiVersion });
    answers.push({ data, errors: errors && { ...errors, response: undefined }, extensions });
  }
}
console.log(JSON.stringify(answers));
