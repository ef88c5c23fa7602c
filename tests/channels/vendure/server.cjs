// A Vendure shop for the tests. It prints one line of JSON when it answers, and ends on SIGTERM.
const { bootstrap, dummyPaymentHandler } = require('@vendure/core');
const { env } = process;
const { StockwirePlugin } = require(env.PLUGIN);

const quiet = () => {};
const config = {
    logger: { error: console.error, warn: quiet, info: quiet, verbose: quiet, debug: quiet },
    apiOptions: { hostname: '127.0.0.1', port: 0 },
    authOptions: {
        tokenMethod: 'bearer',
        superadminCredentials: { identifier: env.VENDURE_USER, password: env.VENDURE_PASSWORD },
    },
    dbConnectionOptions: {
        type: 'postgres',
        host: env.PGHOST,
        username: env.PGUSER,
        password: env.PGPASSWORD,
        database: env.PGDATABASE,
        synchronize: true,
    },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    plugins: env.NOTICES_URL ? [StockwirePlugin.init({ url: env.NOTICES_URL, secret: env.NOTICES_SECRET })] : [],
};

bootstrap(config).then(
    app => console.log(JSON.stringify({ ready: true, url: `http://127.0.0.1:${app.getHttpServer().address().port}` })),
    error => {
        console.error(error);
        process.exit(1);
    },
);
