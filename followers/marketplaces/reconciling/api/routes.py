"""What each route of reconciliation does, for whoever may see the channel."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from followers.api.askers import Asker
from followers.database.database import Database
from followers.marketplaces.channels import Channel
from followers.marketplaces.reconciling import drifts, runs
from followers.marketplaces.reconciling.api import bodies
from followers.marketplaces.reconciling.api.shown import shown_drift, shown_run
from server.http.body import decoded
from server.http.json import Json
from server.http.query import Query
from server.problems import Invalid, NotFound

STATES = ("suspect", "open", "accepted", "dismissed", "repaired", "gone")
NUMBER_MAX = 2**63 - 1

Known = Callable[[Request], Awaitable[tuple[Asker, Channel]]]


class ReconcilingRoutes:
    """``known``: who asks, and the channel that the path names, if they may see it. Raises NotFound."""

    def __init__(self, database: Database, known: Known) -> None:
        self._database = database
        self._known = known

    def routes(self, one: str) -> list[Route]:
        return [
            Route(f"{one}/reconciliations", self.runs, methods=["GET"]),
            Route(f"{one}/reconciliations", self.ask, methods=["POST"]),
            Route(f"{one}/reconciliations/{{run}}", self.run, methods=["GET"]),
            Route(f"{one}/drift", self.drift, methods=["GET"]),
            Route(f"{one}/drift", self.decide, methods=["POST"]),
        ]

    async def runs(self, request: Request) -> Response:
        _, channel = await self._known(request)
        Query(request)
        async with self._database.transaction() as connection:
            found = await runs.newest(connection, channel.id)
        return Json({"reconciliations": [shown_run(one) for one in found]})

    async def ask(self, request: Request) -> Response:
        asker, channel = await self._known(request)
        Query(request)
        asked = decoded(bodies.new_run, await request.body())
        async with self._database.transaction() as connection:
            run = await runs.ask(connection, channel.id, asker.key, repairs=asked.repairs)
        return Json(shown_run(run), 202)

    async def run(self, request: Request) -> Response:
        _, channel = await self._known(request)
        Query(request)
        text: str = request.path_params["run"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(NUMBER_MAX)) else 0
        async with self._database.transaction() as connection:
            found = await runs.get(connection, channel.id, number)
        if found is None:
            raise NotFound("reconciliation", text[: len(str(NUMBER_MAX))])
        return Json(shown_run(found))

    async def drift(self, request: Request) -> Response:
        _, channel = await self._known(request)
        query = Query(request, "after", "limit", "state")
        state = query.text("state") or "open"
        if state not in STATES:
            raise Invalid("state", f"must be one of {', '.join(STATES)}", 400)
        limit = query.limit()
        async with self._database.transaction() as connection:
            after = query.integer("after", 0) if query.text("after") else 0
            found = await drifts.rows(connection, channel.id, (state,), after, limit)
        following = str(found[-1].id) if len(found) == limit else None
        return Json({"drift": [shown_drift(one) for one in found], "next": following})

    async def decide(self, request: Request) -> Response:
        asker, channel = await self._known(request)
        Query(request)
        asked = decoded(bodies.decision, await request.body())
        if not asked.ids and asked.kind is None:
            raise Invalid("ids", "name ids of open drift, or a class")
        decide = drifts.accept if asked.how == "accept" else drifts.dismiss
        async with self._database.transaction() as connection:
            done = await decide(connection, channel.id, asked.ids, asked.kind, asker.key, asked.why)
        return Json({"ids": done}, 202)
