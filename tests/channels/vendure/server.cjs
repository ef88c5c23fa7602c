// A Vendure shop for the tests. It prints one line of JSON when it answers, and ends on SIGTERM.
const { bootstrap, DefaultLogger, dummyPaymentHandler, LogLevel } = require('@vendure/core');
const { env } = process;
const { StockwirePlugin } = require(env.PLUGIN);

const config = {
    logger: new DefaultLogger({ level: LogLevel.Error, timestamp: false }),
    apiOptions: { hostname: '127.0.0.1', port: Number(env.PORT) },
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
