"""eBay: one seller's account. Inventory, Fulfillment and Notification API (https://developer.ebay.com/develop/api/sell)."""
