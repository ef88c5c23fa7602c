"""What an adapter asks its channel through: quotas counted, addresses checked, time and bytes bounded.

QuotaSpent      nothing was asked: the quota leaves no room for it in time
NotSent         nothing was asked: a dry run keeps what would have changed something there
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson
from yarl import URL

from followers.marketplaces.buckets import Bucket
from followers.marketplaces.errors import RemoteAway
from followers.marketplaces.terms import Quota, without_nul
from followers.outward.retry_after import seconds_of
from followers.outward.sessions import Sessions

TIMEOUT_S = 30.0
"""For name, connection, request and answer together."""
BUCKET_WAIT_S_MAX = 60.0
"""That a request waits for its quota."""
SPARED_S_MAX = 20.0
"""That what can be spared lets others go first. Then it takes its turn among them: it becomes slow, and never stops."""
ANSWER_BYTES_MAX = 8 * 2**20
KEPT_MAX = 1_000
"""Tokens and keys of one channel."""
URGENT, NORMAL, SPARE = "urgent", "normal", "spare"
_REDIRECTS = (301, 302, 303, 307, 308)


class QuotaSpent(RemoteAway):
    """``after_s``: in how many seconds there may be room."""

    def __init__(self, quota: str, after_s: float) -> None:
        super().__init__(f"was not asked: its quota {quota} is spent for {after_s:.0f} s")
        self.after_s = after_s


class NotSent(RemoteAway):
    """Meets whoever asks for a change in a dry run."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``status``: below 500. ``headers``: names in lower case; of several of one name the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Without NUL characters, which the database cannot store. Raises RemoteAway for what is no JSON: a proxy's
        page is no answer."""
        try:
            return orjson.loads(without_nul(self.body))
        except ValueError:
            kind = self.headers.get("content-type", "nothing that it names").partition(";")[0][:60]
            raise RemoteAway(f"answers {self.status} with {kind} where JSON belongs") from None

    @property
    def retry_after_s(self) -> float | None:
        """Of ``Retry-After``, if it has one that can be read."""
        return seconds_of(self.headers.get("retry-after"))


@dataclass(frozen=True, slots=True)
class Unsent:
    """A request that would change something there. Without its headers, which hold credentials."""

    method: str
    url: str
    body: bytes


class Remote:
    """Of one channel. ``buckets``: by name of their quota. ``kept``: tokens and keys that are fetched once, each with
    its end by ``time.monotonic()``; an adapter reads and writes it as it likes, within KEPT_MAX.

    ``now_s``: the Unix time. ``dry``: what would change something there is kept in ``unsent`` and not sent.
    """

    def __init__(
        self,
        sessions: Sessions,
        quotas: Sequence[Quota],
        *,
        now_s: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        dry: bool = False,
    ) -> None:
        self._sessions = sessions
        self._now_s = now_s
        self._clock = clock
        self._turns = {(quota.name, turn): asyncio.Lock() for quota in quotas for turn in (URGENT, NORMAL, SPARE)}
        self._dry = dry
        self.buckets = {quota.name: Bucket(quota, clock) for quota in quotas}
        self.kept: dict[str, tuple[str, float]] = {}
        self.unsent: list[Unsent] = []

    def now(self) -> datetime:
        """In UTC; never ahead of the database's clock, where the channel is served by `stockwire channels`."""
        return datetime.fromtimestamp(self._now_s(), UTC)

    def keep(self, name: str, value: str, seconds: float) -> None:
        """``kept_value`` gives it for so long."""
        if len(self.kept) >= KEPT_MAX:
            self.kept.clear()  # they are fetched anew
        self.kept[name] = value, self._clock() + seconds

    def kept_value(self, name: str) -> str | None:
        value, until_s = self.kept.get(name, ("", 0.0))
        return value if self._clock() < until_s else None

    async def request(
        self,
        method: str,
        url: str,
        *,
        quota: str | None,
        cost: float = 1.0,
        urgent: bool = False,
        spare: bool = False,
        changes: bool = False,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Waits for room in the quota, then asks once: what is repeated is for the caller to say. No redirects, no
        cookies, no compression unless ``headers`` ask for it.

        ``quota``: the name of one that the adapter declares; None: the channel does not count this.
        ``urgent``: may take the kept share of it: orders and zeros. ``spare``: leaves half of it to others for a while:
        pages of all listings. ``changes``: it sets stock there, so that a dry run shows it and does not send it; what
        only reads, signs in or subscribes is sent in a dry run too.

        Raises RemoteAway: nothing answered in time, it cannot be reached, broke off, redirects, sends more than 8 MB,
        or answers 5xx or 408; QuotaSpent if there is no room within a minute. A 401, 403, 429 and what else is below
        500 is an Answer.
        """
        if form is not None:
            headers = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
            body = urlencode(form).encode("ascii")
        if changes and self._dry:
            self.unsent.append(Unsent(method, url, body or b""))
            raise NotSent("was not asked: this is a dry run")
        if quota is None:
            return await self._ask(method, url, headers or {}, body)
        if not (spare and await self._spare_room(quota, cost)):
            await self._room(quota, cost, urgent)
        with self._under_way(self.buckets[quota], cost):
            return await self._ask(method, url, headers or {}, body)

    async def _spare_room(self, quota: str, cost: float) -> bool:
        """Whether there was any in time."""
        bucket = self.buckets[quota]
        try:
            async with asyncio.timeout(SPARED_S_MAX), self._turns[quota, SPARE]:
                while wait_s := bucket.take(cost, spare=True):  # noqa: ASYNC110 - time alone fills it
                    await asyncio.sleep(wait_s)
        except TimeoutError:
            return False
        return True

    async def _room(self, quota: str, cost: float, urgent: bool) -> None:
        """In turn among those as urgent."""
        bucket = self.buckets[quota]
        until_s = self._clock() + BUCKET_WAIT_S_MAX
        try:
            async with asyncio.timeout(BUCKET_WAIT_S_MAX), self._turns[quota, URGENT if urgent else NORMAL]:
                with bucket.wanted(cost) if urgent else nullcontext():
                    while wait_s := bucket.take(cost, urgent=urgent):
                        if self._clock() + wait_s > until_s:
                            raise QuotaSpent(quota, wait_s)
                        await asyncio.sleep(wait_s)
        except TimeoutError:
            raise QuotaSpent(quota, BUCKET_WAIT_S_MAX) from None

    @contextmanager
    def _under_way(self, bucket: Bucket, cost: float) -> Iterator[None]:
        try:
            yield
        finally:
            bucket.answered(cost)

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            async with self._sessions.of(url).request(
                method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await _read(answer)
                if answer.status >= 500 or answer.status in (408, *_REDIRECTS):
                    raise RemoteAway(f"answers {answer.status}")
                found = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, found, content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise RemoteAway(self._sessions.failure(error)) from error


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for chunk in answer.content.iter_any():
        read += chunk
        if len(read) > ANSWER_BYTES_MAX:
            answer.close()
            raise RemoteAway(f"sends more than {ANSWER_BYTES_MAX >> 20} MB")
    return bytes(read)
