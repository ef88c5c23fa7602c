"""How this process comes to PostgreSQL, and what it reads there beside commits.

Guarantees that only a server that takes writes is spoken to. It may import the ledger's errors and settings."""
