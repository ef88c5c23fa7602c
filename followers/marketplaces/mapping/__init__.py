"""Which listing of a channel sells which sku, and who said so."""
