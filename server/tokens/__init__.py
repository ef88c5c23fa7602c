"""Who is behind a token: issuers, their public keys, fetched and kept, what ledgers sign with, the verifier.

What a token must say is decided in ``wire.tokens``.
"""
