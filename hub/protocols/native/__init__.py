"""Stockwire's own messages (docs/reference/protocol.md).

Guarantees that each request is answered, with ``error`` if it is refused, or ends its connection. Pure. It may import
the fan-out and the entry."""
