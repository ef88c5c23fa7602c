"""The feed: ``/v1/events`` with long polling, and ``/v1/shards``."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import AGAIN_S, HUB, Access, require
from ledger.commit.event import EVENT_COLUMNS, event_of_row
from ledger.database.reading import reading
from ledger.feed.heads import Heads
from ledger.feed.long_polls import LongPolls
from ledger.http.admission import out_of_lane
from server.http.json import Json
from server.http.query import Query
from server.problems import NotFound

FEED = "feed"
WAIT_S_MAX = 30.0

_EVENTS = text(f"""
    select m.epoch, s.head, e.*
      from ledger_meta m
      join shard s on s.id = :shard
      left join lateral (
        select {EVENT_COLUMNS} from stock_event e
         where e.shard = :shard and e.seq > :after order by e.seq limit :limit) e on true
     order by e.seq
""")
_SHARDS = text("""
    select m.epoch, m.public_steps, m.public_low, s.id, s.head
      from ledger_meta m cross join shard s order by s.id
""")


class EventRoutes:
    def __init__(self, engine: AsyncEngine, access: Access, heads: Heads, long_polls: LongPolls) -> None:
        self._engine = engine
        self._access = access
        self._heads = heads
        self._long_polls = long_polls

    def routes(self) -> list[Route]:
        return [
            Route("/v1/events", self.events, methods=["GET"]),
            Route("/v1/shards", self.shards, methods=["GET"]),
        ]

    async def events(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        require(principal, FEED, HUB)
        query = Query(request, "shard", "after", "limit", "wait")
        shard = query.integer("shard", high=2**31 - 1)
        after, limit = query.integer("after", 0), query.limit()
        wait_s = query.seconds("wait", high=WAIT_S_MAX)
        if request.method == "HEAD":
            wait_s = 0.0  # there is no event that it could be told
        ends_at = asyncio.get_running_loop().time() + wait_s
        page = (self._recent(shard, after, limit) if wait_s else None) or await self._read(shard, after, limit)
        while page["head"] == after and (left_s := ends_at - asyncio.get_running_loop().time()) > 0:
            # No connection is held here, and another ledger's commit is seen by the next heartbeat at the latest.
            waiting = self._heads.wait_beyond(shard, after, min(left_s, AGAIN_S))
            with out_of_lane(request.scope):
                happened = await self._long_polls.wait(waiting, _hanging_up(request))
            if not happened:
                break
            await self._access.admit(request)  # the key may have been revoked meanwhile
            page = self._recent(shard, after, limit) or await self._read(shard, after, limit)
        return Json(page)

    def _recent(self, shard: int, after: int, limit: int) -> dict[str, Any] | None:
        """What this ledger itself committed a moment ago, or that this was all: of another one's there may be more, so
        this is for who waits for a first event, and asks again. Who follows closely is told nothing else."""
        events = self._heads.recent.after(self._heads.epoch, shard, after, limit, time.monotonic())
        if events is None:
            return None
        head = max(self._heads.heads[shard], after + len(events))
        if not events and head > after:
            return None  # by another ledger
        return {"epoch": self._heads.epoch, "shard": shard, "head": head, "events": events}

    async def _read(self, shard: int, after: int, limit: int) -> dict[str, Any]:
        async with reading(self._engine) as connection:
            values = {"shard": shard, "after": after, "limit": limit}
            rows: Sequence[Any] = (await connection.execute(_EVENTS, values)).all()
        if not rows:
            raise NotFound("shard", str(shard))
        return {
            "epoch": self._heads.compose(rows[0].epoch),
            "shard": shard,
            "head": rows[0].head,
            "events": [event_of_row(row[2:]) for row in rows if row.seq is not None],
        }

    async def shards(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        require(principal, FEED, HUB)
        Query(request)
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_SHARDS)).mappings().all()
        shards = [{"shard": row["id"], "head": row["head"]} for row in rows]
        meta = rows[0]
        public = {"steps": meta["public_steps"], "low": meta["public_low"]}
        return Json({"epoch": self._heads.compose(meta["epoch"]), "shards": shards, "public": public})


async def _hanging_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
