"""What each route does. Endpoints are seen and changed by the API key that made them, and by ``admin``."""

import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from followers.api.askers import Asker, Askers
from followers.channel_types import CHANNEL_TYPES
from followers.log.ledger import Ledger
from followers.outward.addresses import Addresses, UrlRefused
from followers.sealing import Seal, SealBroken
from followers.webhooks.api import bodies
from followers.webhooks.api.replays import NOT_THERE, count, log_of, span_of_message, spans_between
from followers.webhooks.api.shown import shown, shown_attempt, shown_key, shown_with_standing
from followers.webhooks.endpoints import ATTEMPTS_MAX, NOTICES_MAX, Endpoint, Endpoints, New, Span
from followers.webhooks.key_ring import HeldKey, KeyRing, SigningKey, TooManyRotations
from followers.webhooks.planning import TEST
from followers.webhooks.secrets import new_secret, new_signing_key, open_ring, opens, seal_ring
from followers.webhooks.signature import KeyUnusable, key_of
from server.http.json import Json
from server.http.query import Query
from server.problems import Forbidden, Invalid, NotFound, Unavailable
from wire.scopes import READ

ENDPOINTS_MAX = 100
"""Of one API key."""
IDENTIFIER_CHARACTERS_MAX = 64
AGAIN_S = 1
RESEALS_MAX = 5
"""Somebody else may change the keys at the same time."""


@dataclass(frozen=True, slots=True)
class RouteParts:
    """``addresses``: who may be reached; it says so of a URL when it is given. ``askers``: who they are."""

    endpoints: Endpoints
    ledger: Ledger
    seal: Seal
    addresses: Addresses
    askers: Askers


class Routes:
    def __init__(self, parts: RouteParts) -> None:
        self._endpoints = parts.endpoints
        self._ledger = parts.ledger
        self._seal = parts.seal
        self._addresses = parts.addresses
        self._askers = parts.askers
        self._looking: set[str] = set()

    def routes(self) -> list[Route]:
        one = "/v1/webhooks/{id}"
        return [
            Route("/v1/webhooks", self.page, methods=["GET"]),
            Route("/v1/webhooks", self.add, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.change, methods=["PUT"]),
            Route(one, self.remove, methods=["DELETE"]),
            Route(f"{one}/pause", self.pause, methods=["POST"]),
            Route(f"{one}/resume", self.resume, methods=["POST"]),
            Route(f"{one}/rotate", self.rotate, methods=["POST"]),
            Route(f"{one}/test", self.test, methods=["POST"]),
            Route(f"{one}/attempts", self.attempts, methods=["GET"]),
            Route(f"{one}/replay", self.replay, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        asker = await self._askers.of(request)
        query = Query(request, "after", "limit")
        limit = query.limit()
        found = await self._endpoints.page(asker.owner, query.cursor(), limit)
        following = found[-1].id if len(found) == limit else None
        sealed = await self._endpoints.all_sealed([one.id for one in found])
        # Whose keys are gone was removed meanwhile.
        webhooks = [shown(one, signs=opens(self._seal, sealed[one.id])) for one in found if one.id in sealed]
        return Json({"webhooks": webhooks, "next": following})

    async def add(self, request: Request) -> Response:
        asker = await self._askers.of(request)
        Query(request)
        body = bodies.read(bodies.new_endpoint, await request.body())
        wanted = self._checked(body, asker)
        key = _key(body.signature, body.secret)
        if await self._endpoints.count(asker.key) >= ENDPOINTS_MAX:
            raise Invalid("body", f"this key has {ENDPOINTS_MAX} webhooks: remove one first")
        state = await self._ledger.shards()
        heads = {one["shard"]: one["head"] for one in state["shards"]}
        made = await self._endpoints.add(
            New(owner=asker.key, scopes=tuple(sorted(asker.scopes)), **wanted),
            seal_ring(self._seal, KeyRing((HeldKey(key),))),
            state["epoch"],
            heads,
        )
        return Json({**shown(made), **shown_key(key, ours=body.secret is None)}, 201)

    async def get(self, request: Request) -> Response:
        found = await self._known(request)
        standing = await self._endpoints.standing(found.id)
        return Json(shown_with_standing(found, standing, signs=await self._signs(found)))

    async def change(self, request: Request) -> Response:
        asker = await self._askers.of(request)
        Query(request)
        values = self._checked(bodies.read(bodies.wish, await request.body()), asker)
        return await self._answer(request, await self._endpoints.change(_identifier(request), values, asker.owner))

    async def remove(self, request: Request) -> Response:
        asker = await self._askers.of(request)
        Query(request)
        if not await self._endpoints.remove(_identifier(request), asker.owner):
            raise _unknown(request)
        return Response(status_code=204)

    async def pause(self, request: Request) -> Response:
        found = await self._known(request)
        return await self._answer(request, await self._endpoints.pause(found.id))

    async def resume(self, request: Request) -> Response:
        found = await self._known(request)
        return await self._answer(request, await self._endpoints.resume(found.id))

    async def rotate(self, request: Request) -> Response:
        found = await self._known(request)
        body = bodies.read(bodies.rotation, await request.body())
        key = _key(body.signature, body.secret)
        for _ in range(RESEALS_MAX):
            sealed = await self._endpoints.sealed(found.id)
            if sealed is None:
                raise _unknown(request)
            ring = _rotated(self._seal, sealed, key)
            if await self._endpoints.reseal(found.id, sealed, seal_ring(self._seal, ring)):
                break
        else:
            raise Invalid("body", "others change the keys of this webhook at the same time")
        return Json({**shown(found), **shown_key(key, ours=body.secret is None)})

    async def test(self, request: Request) -> Response:
        found = await self._known(request)
        message = await self._endpoints.notify(found.id, TEST, {"webhook": found.id})
        if message is None:
            raise Invalid("body", f"{NOTICES_MAX} messages wait already: is it enabled, and does its receiver answer?")
        return Json({"message": message}, 202)

    async def attempts(self, request: Request) -> Response:
        found = await self._known(request, "limit")
        limit = Query(request, "limit").limit(ATTEMPTS_MAX)
        return Json({"attempts": [shown_attempt(one) for one in await self._endpoints.attempts(found.id, limit)]})

    async def replay(self, request: Request) -> Response:
        found = await self._known(request)
        asked = bodies.read(bodies.replay, await request.body())
        bodies.check_replay(asked)
        if asked.failed:
            levels = self._endpoints.failed if asked.dry_run else self._endpoints.hurry
            return _counted(asked.dry_run, levels=await levels(found.id))
        if found.owner in self._looking:
            raise Unavailable("another replay of this API key is looked for: one at a time", AGAIN_S)
        self._looking.add(found.owner)
        try:
            spans, messages, complete = await self._found(found, asked)
        finally:
            self._looking.discard(found.owner)
        begun = None
        if not asked.dry_run and (messages or not complete):
            begun = await self._endpoints.replay(found.id, spans)
            if begun is None:
                raise Invalid("body", "replays of this webhook wait already: let them end first")
        return _counted(asked.dry_run, messages=messages, complete=complete, begun=begun)

    async def _found(self, endpoint: Endpoint, asked: bodies.Replay) -> tuple[list[Span], int, bool]:
        """Where it is, how many messages, and whether those are all. Raises Invalid, LedgerAway."""
        log = await log_of(self._ledger)
        if asked.message is None:
            assert asked.since is not None
            spans = await spans_between(self._ledger, log, asked.since, asked.until)
            return spans, *await count(self._ledger, log, spans, endpoint.interest)
        spans = [span_of_message(log, asked.message)]
        messages, complete = await count(self._ledger, log, spans, endpoint.interest)
        if not messages:
            raise Invalid(
                "message", NOT_THERE
            )  # as of one that is not in the log: its owner does not see how long it is
        return spans, messages, complete

    async def _signs(self, endpoint: Endpoint) -> bool:
        sealed = await self._endpoints.sealed(endpoint.id)
        return sealed is None or opens(self._seal, sealed)

    async def _answer(self, request: Request, endpoint: Endpoint | None) -> Response:
        if endpoint is None:
            raise _unknown(request)
        return Json(shown(endpoint, signs=await self._signs(endpoint)))

    async def _known(self, request: Request, *parameters: str) -> Endpoint:
        asker = await self._askers.of(request)
        Query(request, *parameters)
        found = await self._endpoints.get(_identifier(request), asker.owner)
        if found is None:
            raise _unknown(request)
        return found

    def _checked(self, body: bodies.Wish, asker: Asker) -> dict[str, Any]:
        """As the store takes it. Raises Invalid, Forbidden."""
        try:
            self._addresses.check_url(body.url)
        except UrlRefused as error:
            raise Invalid("url", str(error)) from None
        types = bodies.types_of(body.types)
        for location in body.locations:
            if not asker.sees(location):
                raise Forbidden(READ + location)
        if not asker.hears_of_channels and not set(types).isdisjoint(CHANNEL_TYPES):
            raise Forbidden(READ + "*")
        return {
            "url": body.url,
            "types": types,
            "locations": tuple(dict.fromkeys(body.locations)),
            "skus": tuple(dict.fromkeys(body.skus)),
            "mode": body.mode,
            "batch": body.batch,
            "rate_per_s": body.rate_per_s,
        }


def _key(signature: str, secret: str | None) -> SigningKey:
    """The caller's, or a new one. Raises Invalid."""
    if secret is None:
        return new_secret() if signature == "v1" else new_signing_key()
    try:
        return key_of(secret)
    except KeyUnusable as error:
        raise Invalid("secret", str(error)) from None


def _rotated(seal: Seal, sealed: bytes, key: SigningKey) -> KeyRing:
    """With ``key`` alone where nothing here opens the others: they sign nothing any more either way. Raises Invalid."""
    try:
        return open_ring(seal, sealed).rotated(key, time.time())
    except SealBroken:
        return KeyRing((HeldKey(key),))
    except TooManyRotations as error:
        raise Invalid("body", str(error)) from None


def _identifier(request: Request) -> str:
    identifier: str = request.path_params["id"][:IDENTIFIER_CHARACTERS_MAX]
    return identifier if identifier.isascii() and identifier.isprintable() else ""


def _unknown(request: Request) -> NotFound:
    return NotFound("webhook", _identifier(request))


def _counted(
    dry_run: bool, *, messages: int = 0, complete: bool = True, levels: int = 0, begun: str | None = None
) -> Response:
    content = {"dry_run": dry_run, "messages": messages, "complete": complete, "levels": levels, "replay": begun}
    return Json(content, 200 if dry_run else 202)
