"""Which shard a location stands in: where ledger and hub must agree without asking each other."""

import hashlib


def shard_of(location: str, shards: int) -> int:
    """The first 64 bits of the SHA-256 of the name in UTF-8, modulo ``shards``, fixed at the first migration."""
    return int.from_bytes(hashlib.sha256(location.encode()).digest()[:8]) % shards
