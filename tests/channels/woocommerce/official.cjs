// WooCommerce's own client for JavaScript; lines in and back as in official.py.
const { createInterface } = require('node:readline');
const WooCommerce = require('@woocommerce/woocommerce-rest-api').default;

const lines = createInterface({ input: process.stdin });
lines.on('line', async line => {
    const { url, key, secret, query, calls } = JSON.parse(line);
    const shop = new WooCommerce({ url, consumerKey: key, consumerSecret: secret, version: 'wc/v3', queryStringAuth: query });
    const answers = [];
    for (const [method, endpoint, data, parameters] of calls) {
        const given = data === null ? [endpoint, parameters] : [endpoint, data, parameters];
        const answer = await shop[method](...given).catch(error => error.response);
        answers.push([answer.status, answer.data, answer.headers['x-wp-total'] ?? null]);
    }
    console.log(JSON.stringify(answers));
});
