"""Who may come in, and how many: keys, tokens, places and handshakes.

Guarantees that a revoked key is out within seconds. It may import the feed."""
