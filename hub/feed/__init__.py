"""Keeps the fan-out in step with the ledger: the broker's messages, the log for what they left out, loads, heartbeats.

Guarantees that a lost message is noticed and read from the log. It may import the fan-out."""
