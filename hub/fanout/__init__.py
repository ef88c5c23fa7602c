"""Who is told what: sessions, their subscriptions, and each change encoded once for all who watch it.

Guarantees that a subscription sees every change after its first snapshot, or a new snapshot. Pure. It may import
the stock."""
