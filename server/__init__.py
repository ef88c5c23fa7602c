"""What ledger and hub are both built on, around the pure contract in ``wire``: HTTP connections and servers with their
bounds and TLS, allowed hosts, and who is behind a token (the issuers' public keys, fetched and kept, and the verifier).

What a token must say is decided in ``wire.tokens``, what a key must be in ``wire.key_set``.
"""
