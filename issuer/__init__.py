"""Who is behind a token: the issuers' public keys, fetched and kept, and the one verifier of ledger and hub.

What a token must say is decided in ``wire.tokens``, what a key must be in ``wire.key_set``: both are pure. Here stands
the I/O around them.
"""
