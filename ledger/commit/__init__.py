"""The commit path: operations are gathered, decided and written, all or nothing.

Guarantees one effect for one key, no level below what it may be, and an event for every change. ``decide`` and
``effects`` are pure. It may import the feed."""
