"""Lists of items or locations, put whole or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.database.reading import writing
from ledger.http.bodies import Existing


async def put_list(
    engine: AsyncEngine,
    statement: TextClause,
    names: Sequence[str],
    columns: Mapping[str, Sequence[Any]],
    existing: Existing,
) -> dict[str, Any]:
    """Puts the list, and says of each name whether it was created, updated or unchanged, in the order of the list.

    ``statement`` is one, so all or nothing. It writes in the order of the names, so that two lists that overlap wait
    for each other and never in a circle; and only what changes, so that a list that is put again locks nothing.
    What it returns is what it wrote: inserted rows have no ``xmax``, updated ones that of the lock they are under.
    """
    async with writing(engine) as connection:
        rows = await connection.execute(statement, {"names": names, **columns, "keep": existing == "keep"})
        created = {row.name: row.created for row in rows}
    return {
        "created": [name for name in names if created.get(name) is True],
        "updated": [name for name in names if created.get(name) is False],
        "unchanged": len(names) - len(created),
    }
