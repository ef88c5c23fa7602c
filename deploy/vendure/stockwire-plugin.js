// Tells `stockwire channels` which order changed in a Vendure shop and what its levels are now, signed as Standard
// Webhooks 1.0 has it:
//
//     plugins: [StockwirePlugin.init({ url: process.env.STOCKWIRE_NOTICES_URL, secret: process.env.STOCKWIRE_SECRET })]
//
// A notice goes out once the change is committed. It is tried three times and then given up: `stockwire channels` polls
// as well, so one that is lost costs time and nothing else.
const { createHmac, randomUUID } = require('node:crypto');
const { setTimeout: pause } = require('node:timers/promises');
const vendure = require('@vendure/core');

const WAITS_MS = [0, 1_000, 5_000];
const ANSWER_MS = 10_000;
const UNSENT_MAX = 1_000; // so many wait only where nobody answers
const SERVICES = [vendure.EventBus, vendure.OrderService, vendure.StockLevelService, vendure.ConfigService];

class StockwirePlugin {
    static init = options => Object.assign(StockwirePlugin, { options });

    constructor(events, orders, levels, config) {
        Object.assign(this, { orders, levels, unsent: 0 });
        this.id = id => String(config.entityOptions.entityIdStrategy.encodeId(id)); // as the API writes it
        events.ofType(vendure.OrderStateTransitionEvent).subscribe(({ ctx, order }) => this.tell(ctx, [], order));
        events.ofType(vendure.StockMovementEvent).subscribe(({ ctx, stockMovements }) => this.tell(ctx, stockMovements));
    }

    async tell(ctx, movements, order) {
        if (this.unsent >= UNSENT_MAX) return;
        this.unsent += 1;
        try {
            const line = movements[0]?.orderLine; // all of an event are of one order, or of none
            order ??= line && (await this.orders.findOneByOrderLineId(ctx, line.id, []));
            const variants = [...new Set(movements.map(one => one.productVariant.id))];
            const found = await Promise.all(variants.map(id => this.levels.getStockLevelsForVariant(ctx, id)));
            const levels = found.flat().map(({ productVariantId, stockLocationId, stockOnHand, stockAllocated }) => (
                { variant: this.id(productVariantId), location: this.id(stockLocationId), stockOnHand, stockAllocated }
            ));
            if (levels.length || order?.orderPlacedAt) await this.send({ order: order && this.id(order.id), levels });
        } catch (error) {
            vendure.Logger.warn(`Stockwire was not told, and will find by polling: ${error}`, 'StockwirePlugin');
        } finally {
            this.unsent -= 1;
        }
    }

    async send(data) {
        const { url, secret } = StockwirePlugin.options;
        const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
        const id = `msg_${randomUUID()}`;
        const body = JSON.stringify({ type: 'vendure.changed', timestamp: new Date(), data });
        let answer;
        for (const wait of WAITS_MS) {
            await pause(wait);
            const now = String(Math.floor(Date.now() / 1000));
            const signature = createHmac('sha256', key).update(`${id}.${now}.${body}`).digest('base64');
            const headers = { 'webhook-id': id, 'webhook-timestamp': now, 'webhook-signature': `v1,${signature}` };
            const request = { method: 'POST', body, headers, redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) };
            answer = await fetch(url, request).catch(error => error);
            if (answer.ok) return;
        }
        throw answer.status ?? answer;
    }
}

Reflect.defineMetadata('design:paramtypes', SERVICES, StockwirePlugin); // what TypeScript would write for decorators
vendure.VendurePlugin({ imports: [vendure.PluginCommonModule], compatibility: '^3.0.0' })(StockwirePlugin);
module.exports = { StockwirePlugin };
