"""Stockwire's own messages (docs/reference/protocol.md). Pure. It may import the fan-out and the entry."""
