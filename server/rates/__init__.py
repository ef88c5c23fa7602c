"""How much an owner or an address may send. ``allowance`` decides and is pure; ``rate_limits`` has Redis count."""
