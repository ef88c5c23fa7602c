"""eBay's Sell APIs as they are documented: Inventory, Fulfillment, Notification, and the limits of all three."""
