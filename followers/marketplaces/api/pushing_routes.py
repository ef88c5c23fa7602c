"""Routes of what goes out: what would be sent now, and dead letters."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from followers.log.ledger import Ledger
from followers.marketplaces.api import bodies
from followers.marketplaces.api.mapping_routes import Known
from followers.marketplaces.marketplaces import Marketplaces
from followers.marketplaces.pushing.dry_run import dry_run
from followers.marketplaces.pushing.letters import Letters
from server.http.json import Json
from server.problems import NotFound


class PushingRoutes:
    def __init__(self, marketplaces: Marketplaces, ledger: Ledger, known: Known) -> None:
        self._marketplaces = marketplaces
        self._ledger = ledger
        self._known = known
        self._letters = Letters(marketplaces.database)

    def routes(self, one: str) -> list[Route]:
        return [
            Route(f"{one}/dry-run", self.dry_run, methods=["POST"]),
            Route(f"{one}/dead/retry", self.retry, methods=["POST"]),
            Route(f"{one}/dead/drop", self.drop, methods=["POST"]),
        ]

    async def dry_run(self, request: Request) -> Response:
        """What would go out now, as it would; nothing does."""
        _, channel = await self._known(request)
        made = await self._marketplaces.adapters.dry(channel.id)
        if made is None:
            raise NotFound("channel", channel.id)
        said = await dry_run(self._marketplaces.database, self._ledger, made.channel, made.adapter, made.remote)
        return Json(said)

    async def retry(self, request: Request) -> Response:
        _, channel = await self._known(request)
        body = bodies.read(bodies.letters, await request.body())
        return Json({"changed": await self._letters.retry(channel.id, body.remotes)})

    async def drop(self, request: Request) -> Response:
        _, channel = await self._known(request)
        body = bodies.read(bodies.letters, await request.body())
        return Json({"changed": await self._letters.drop(channel.id, body.remotes)})
