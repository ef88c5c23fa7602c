"""Moments as pages get them: RFC 3339 in UTC, to the millisecond. Pure."""

from datetime import UTC, datetime


def text_of(unix_s: float) -> str:
    """
    >>> text_of(1_795_341_600.1234)
    '2026-11-22T10:00:00.123Z'
    """
    return text_of_moment(datetime.fromtimestamp(unix_s, UTC))


def text_of_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Unix time. Raises ValueError for what is no moment with an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.timestamp()
