"""What ``Retry-After`` asks for (RFC 9110, 10.2.3)."""

import time
from email.utils import parsedate_to_datetime

DIGITS_MAX = 18


def seconds_of(value: str | None) -> float | None:
    """A number of seconds, or a date, which is read as the wait until then."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:DIGITS_MAX])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
