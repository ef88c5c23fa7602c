"""Where the next page of levels begins: as ledgers tell it, hubs read it, and the other way round."""

import re

from wire.names import STORED_PATTERN

CURSOR_REASON = "must be the `next` of another page"

_name = re.compile(STORED_PATTERN)


def level_cursor(sku: str, location: str) -> str:
    """Levels are ordered by sku and location, by their bytes. Neither name can have a slash."""
    return f"{sku}/{location}"


def split_level_cursor(cursor: str) -> tuple[str, str] | None:
    """The (sku, location) of the last level of the page before; empty names before the first. None: it is no cursor."""
    if not cursor:
        return "", ""
    sku, _, location = cursor.partition("/")
    return (sku, location) if _name.match(sku) and _name.match(location) else None
