"""How much an owner or an address may send. ``allowance`` decides and is pure; ``rate_limits`` has Redis count.

Guarantees that no request waits for Redis, and that a limit holds within each process while Redis is away.
"""
