"""Messages that no event of the log stands behind: who has something to tell puts a row for each endpoint that asked.

They are sent by whoever holds the endpoint, within a second of the commit, and deleted once they were taken.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from followers.database.database import Connection

WAITING_MAX = 1_000
"""For one endpoint: one that is paused or fails for days is told no more until some were taken."""


async def tell(
    connection: Connection,
    type_: str,
    channel: str,
    data: Mapping[str, Any],
    *,
    sku: str | None = None,
) -> int:
    """Every endpoint that asked for ``type_`` and may see the channel, its owner's and those of ``admin``, is told, if
    the caller's transaction commits: at least once, under one id. Returns how many that are.

    ``data``: of the message beside ``channel``; a few kilobytes at most. ``sku``: what it is about, if it is about one:
    those who asked for others alone are not told. A disabled endpoint is not told, a paused one once it is resumed.
    """
    said = orjson.dumps({"channel": channel, **data}).decode()
    found = await connection.fetchval(_TELL, f"notice_{secrets.token_hex(12)}", type_, said, channel, sku, WAITING_MAX)
    return int(found)


_TELL = """
with told as (
  insert into notice (endpoint, id, type, data)
  select e.id, $1, $2, $3::jsonb from endpoint e
   where $2 = any(e.types) and e.state <> 'disabled'
     and ('admin' = any(e.scopes) or e.owner = (select c.owner from channel c where c.id = $4))
     and ($5::text is null or e.skus = '{}' or $5 = any(e.skus))
     and (select count(*) from notice n where n.endpoint = e.id) < $6
   order by e.id
  returning 1)
select count(*) from told
"""
