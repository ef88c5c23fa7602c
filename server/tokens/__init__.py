"""Who is behind a token: issuers, their public keys, fetched and kept, what ledgers sign with, the verifier.

What a token must say is decided in ``wire.tokens``. Guarantees that a key set that cannot be fetched is never taken for
an empty one. ``key_set`` and ``signing_keys`` are pure.
"""
