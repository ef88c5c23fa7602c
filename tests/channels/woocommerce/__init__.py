"""A strict WooCommerce: its REST API v3 and its webhooks, as they are documented."""
