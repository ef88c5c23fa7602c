"""Names of the broker's channels and keys. ``prefix`` lets two systems share one Redis."""

DEFAULT_PREFIX = "stockwire"


def shard_channel(prefix: str, shard: int) -> str:
    """Where ledgers publish the batches and heartbeats of one shard."""
    return f"{prefix}:{shard}"


def revocation_channel(prefix: str) -> str:
    """Where ledgers publish the ids of revoked API keys."""
    return f"{prefix}:revoked"


def rate_prefix(prefix: str) -> str:
    """The beginning of the keys under which ledgers and hubs count requests."""
    return f"{prefix}:rate"
