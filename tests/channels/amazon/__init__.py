"""Amazon's Selling Partner API, strictly: Listings Items, Feeds, Orders, Notifications, and Login with Amazon."""
