"""Endpoints and what they are sent: each message signed, in order per level, at least once."""
