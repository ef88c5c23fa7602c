"""Connections: pages of nodes, with cursors that outlive what is added and what goes."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

AT_MOST = 250
Row = tuple[tuple[Any, ...], Any]
"""What it is sorted by, of strings and numbers and unique, and the node."""


class PageRefused(Exception):
    """The message is for whoever asked."""


def connection(rows: Sequence[Row], **arguments: Any) -> dict[str, Any]:
    """``rows`` in order; of ``arguments`` those of a connection count. Raises PageRefused."""
    size, after = _size(arguments), arguments.get("after")
    unserved = [name for name in ("last", "before", "reverse", "savedSearchId") if arguments.get(name)]
    if unserved:
        raise PageRefused(f"{', '.join(unserved)}: not served here")
    if after is not None:
        rows = [row for row in rows if row[0] > _decoded(after)]
    page = rows[:size]
    return {
        "nodes": [node for _, node in page],
        "edges": [{"cursor": _encoded(row), "node": row[1]} for row in page],
        "pageInfo": {
            "hasNextPage": len(rows) > size,
            "hasPreviousPage": after is not None,
            "startCursor": _encoded(page[0]) if page else None,
            "endCursor": _encoded(page[-1]) if page else None,
        },
    }


def by_key(row: Row) -> tuple[Any, ...]:
    return row[0]


def _size(arguments: Mapping[str, Any]) -> int:
    size = arguments.get("first")
    if size is None:
        raise PageRefused("you must provide one of first or last")
    if not 0 < size <= AT_MOST:
        raise PageRefused(f"first must be between 1 and {AT_MOST}, not {size}")
    return int(size)


def _encoded(row: Row) -> str:
    return base64.b64encode(json.dumps(row[0]).encode()).decode()


def _decoded(cursor: str) -> tuple[Any, ...]:
    try:
        return tuple(json.loads(base64.b64decode(cursor)))
    except ValueError:
        raise PageRefused("the cursor is invalid") from None
