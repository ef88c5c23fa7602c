"""The bounds of a ledger that an operator may set: what they are unless ``ledger.settings`` says otherwise."""

BODY_BYTES_MAX = 256 * 1024
"""Bytes of a request's body."""
LINES_MAX = 1000
"""Lines of one operation or of all operations of one request, levels of one query, and items or locations of a list."""
HOLD_TTL_S_MAX = 7 * 24 * 3600
"""Seconds that pending units of a hold may be kept, counted from when they were asked for."""
CONNECTIONS_MAX = 2_000
"""Open HTTP connections."""
IN_FLIGHT_MAX = 500
"""Requests under way, those of hubs and those that wait for events left out."""
