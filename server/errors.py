"""What goes wrong here; a token that is no good is ``wire.tokens.BadToken``."""


class KeysUnavailable(Exception):
    """Whether a key id is an issuer's cannot be said now: ask again later."""
