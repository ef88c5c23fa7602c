"""Who sends a request, and what they may do.

Guarantees that a key revoked at one ledger is refused by all within 5 s. It may import the database."""
