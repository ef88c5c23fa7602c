"""The stock a hub holds: levels and what is derived of them, each shard in the order of its events.

Guarantees that every event counts once and in order, and that memory stays within its bounds. Pure. It may import
the hub's errors and limits."""
