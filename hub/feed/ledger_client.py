"""What a hub asks of the ledger over HTTP. Every request is a read: it may be repeated at any ledger."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import starmap
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from hub.errors import LedgerRefused, LedgerUnavailable
from hub.stock.held import ReadLevel
from server.errors import KeysUnavailable
from server.tls.certificate import CA_SETTING, trusting
from wire.availability import DEFAULT_STEPS, PublicSteps
from wire.messages import Event, LevelState
from wire.tokens import Principal

log = logging.getLogger(__name__)

CONNECT_S = 1.0
ANSWER_S = 5.0  # on top of what a long poll is allowed to wait
CONNECTIONS_MAX = 32
QUERY_KEYS_MAX = 1_000
KEY_IDS_MAX = 1_000
PAGE_EVENTS = 1_000

Answer = TypeVar("Answer")


class ShardHead(msgspec.Struct, frozen=True):
    """Of `Heads`: the last seq of one shard."""

    shard: int
    head: int


class Heads(msgspec.Struct, frozen=True):
    """GET /v1/shards."""

    epoch: str
    shards: list[ShardHead]
    public: PublicSteps = DEFAULT_STEPS

    def by_shard(self) -> dict[int, int]:
        return {one.shard: one.head for one in self.shards}


class LogPage(msgspec.Struct, frozen=True):
    """GET /v1/events: ``head`` was read with the events."""

    epoch: str
    shard: int
    head: int
    events: list[Event]


class LevelsPage(msgspec.Struct, frozen=True):
    """GET /v1/levels and POST /v1/levels/query: ``heads`` were read with the levels."""

    epoch: str
    heads: dict[str, int]
    levels: list[LevelState]
    view_versions: list[int]
    next: str | None = None

    def read_levels(self) -> list[ReadLevel]:
        return list(starmap(ReadLevel, zip(self.levels, self.view_versions, strict=True)))

    def by_shard(self) -> dict[int, int]:
        return {int(shard): head for shard, head in self.heads.items()}


class Introspection(msgspec.Struct, frozen=True):
    """POST /v1/keys/introspect, of one key. Not ``active``: the others say nothing."""

    active: bool
    id: str = ""
    owner: str = ""
    scopes: list[str] = []
    expires_at: datetime | None = None


class GoodIds(msgspec.Struct, frozen=True):
    """POST /v1/keys/introspect, of many: the ids of those that are good."""

    ids: list[str]


class LedgerClient:
    """A client of several ledgers that are as good as each other; it stays with one as long as that one answers.

    Raises LedgerUnavailable when none does, LedgerRefused when one refuses.
    """

    def __init__(self, urls: Sequence[str], key: str, ca_file: Path | None = None) -> None:
        """``ca_file``: whom to believe at https URLs; None: the authorities that browsers believe."""
        self._urls = list(urls)
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"},
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            # authorities are loaded for those who need them: it takes a twentieth of a hub's start
            verify=any(url.startswith("https:") for url in urls) if ca_file is None else trusting(ca_file),
            trust_env=False,  # a proxy named in the environment is not meant for the ledger
        )

    async def __aenter__(self) -> "LedgerClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def heads(self) -> Heads:
        return await self._get("/v1/shards", {}, Heads)

    async def events(self, shard: int, after: int, wait_s: int) -> LogPage:
        """The log behind ``after``; with nothing there, the answer may take ``wait_s``."""
        asked = {"shard": shard, "after": after, "limit": PAGE_EVENTS, "wait": wait_s}
        return await self._get("/v1/events", asked, LogPage, wait_s)

    async def query(self, keys: Sequence[tuple[str, str]]) -> LevelsPage:
        """At most ``QUERY_KEYS_MAX`` levels, by (location, sku)."""
        return await self._request("POST", "/v1/levels/query", LevelsPage, json={"keys": keys})

    async def page(
        self, location: str | None, after: str | None, limit: int, tell: Callable[[str], None]
    ) -> LevelsPage:
        """A page of a location, or of everything. ``tell``: where the next one begins, from each ledger that says so
        before the page is here: of one that fails later, it is said of a page that was never seen.
        """
        asked: dict[str, Any] = {"limit": limit}
        if location is not None:
            asked["location"] = location
        if after is not None:
            asked["after"] = after

        def begun(answer: httpx.Response) -> None:
            if (following := _following(answer)) is not None:
                tell(following)

        return await self._request("GET", "/v1/levels", LevelsPage, begun=begun, params=asked)

    async def holder_of(self, key: str) -> Principal | None:
        """Who stands behind an API key; None if it is not good."""
        return await self._introspect({"key": key})

    async def holder_of_id(self, key_id: str) -> Principal | None:
        """As ``holder_of``, for the id of a key: to learn whether it, and the tokens it made, are still good."""
        return await self._introspect({"id": key_id})

    async def good_ids(self, key_ids: Sequence[str]) -> set[str]:
        """Those of keys that are still good, as the database has it now."""
        good: set[str] = set()
        for first in range(0, len(key_ids), KEY_IDS_MAX):
            asked = {"ids": key_ids[first : first + KEY_IDS_MAX]}
            good.update((await self._request("POST", "/v1/keys/introspect", GoodIds, json=asked)).ids)
        return good

    async def key_set(self) -> bytes:
        """What ledgers sign tokens with. Raises KeysUnavailable."""
        try:
            return msgspec.json.encode(await self._get("/.well-known/jwks.json", {}, dict[str, Any]))
        except (LedgerUnavailable, LedgerRefused) as error:
            raise KeysUnavailable(str(error)) from None

    async def discovery(self) -> bytes:
        """Where everything is, as a ledger tells it to anybody."""
        return msgspec.json.encode(await self._get("/v1/discovery", {}, dict[str, Any]))

    async def _introspect(self, asked: dict[str, str]) -> Principal | None:
        found = await self._request("POST", "/v1/keys/introspect", Introspection, json=asked)
        if not found.active:
            return None
        expires_at = int(found.expires_at.timestamp()) if found.expires_at else None
        return Principal(found.owner, found.id, frozenset(found.scopes), expires_at)

    async def _get(self, path: str, asked: Mapping[str, Any], answer: type[Answer], wait_s: float = 0) -> Answer:
        return await self._request("GET", path, answer, wait_s, params=asked)

    async def _request(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        wait_s: float = 0,
        begun: Callable[[httpx.Response], None] = lambda _: None,
        **content: Any,
    ) -> Answer:
        """``begun``: called with the head of each good answer, before its body is here."""
        reasons = []
        for url in list(self._urls):
            try:
                async with (
                    asyncio.timeout(CONNECT_S + ANSWER_S + wait_s),
                    self._client.stream(
                        method, url + path, timeout=httpx.Timeout(ANSWER_S + wait_s, connect=CONNECT_S), **content
                    ) as response,
                ):
                    if response.status_code < 300:
                        begun(response)
                    await response.aread()
                if response.status_code < 300:
                    self._stay_with(url)
                    return msgspec.json.decode(response.content, type=answer)
                if response.status_code < 500 and response.status_code != 429:
                    raise LedgerRefused(response.status_code, response.text[:200])
                reasons.append(f"{url}: {response.status_code} {response.text[:100]}")
            except (httpx.HTTPError, TimeoutError, msgspec.MsgspecError) as error:
                reasons.append(f"{url}: {type(error).__name__} {error}{_hint(error)}")
        raise LedgerUnavailable("; ".join(reasons))

    def _stay_with(self, url: str) -> None:
        if self._urls[0] != url:
            self._urls.remove(url)
            self._urls.insert(0, url)
            log.info("reading from another ledger url=%s", url)


def _following(answer: httpx.Response) -> str | None:
    """Where the page after this one begins, of a ledger that says it in ``Link``."""
    following = answer.links.get("next")
    return httpx.URL(following["url"]).params.get("after") if following is not None else None


def _hint(error: Exception) -> str:
    """What httpx says of a certificate does not say where to look."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return f" (the ledger's certificate is not believed: name the one that signed it in {CA_SETTING})"
    return ""
