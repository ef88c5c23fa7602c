// Our plugin on a real bus of events, where an order cannot be looked up. It ends by itself, with 0 if nothing broke.
const { EventBus, StockMovementEvent } = require('@vendure/core');
const { StockwirePlugin } = require(process.env.PLUGIN);

const orders = { findOneByOrderLineId: () => Promise.reject(new Error('the database is away')) };
const events = new EventBus({});
const plugin = new StockwirePlugin(events, orders, {}, {});
events.publish(new StockMovementEvent({}, [{ type: 'SALE', orderLine: { id: 1 }, productVariant: { id: 1 } }]));
process.on('beforeExit', () => console.log(`goes on, and ${plugin.unsent} wait`));
