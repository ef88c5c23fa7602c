"""What goes wrong here; a token that is no good is ``wire.tokens.BadToken``."""

from redis.exceptions import RedisError

BROKER_AWAY = (RedisError, OSError, TimeoutError, RuntimeError)
"""RuntimeError is what uvloop raises for a write to a connection that was reset a moment ago."""


class KeysUnavailable(Exception):
    """Whether a key id is an issuer's cannot be said now: ask again later."""
