"""Results that are written to a stream of NATS together: each write alone waits for the disk of the server."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from uuid import uuid4

from nats.js.errors import APIError

from followers.brokers.nats_client import BATCH_COMMIT, BATCH_ID, BATCH_SEQUENCE, NatsConnection, command

TOGETHER_MAX = 200
"""Results in one atomic batch (ADR-50). A server takes 1,000 at most; more than 200 are hardly faster."""


@dataclass(eq=False, slots=True)
class _Result:
    headers: Mapping[str, str]
    data: bytes
    is_kept: bool = False

    @property
    def size(self) -> int:
        return len(self.data) + len(_lines(self.headers))


class NatsResults:
    """``batches``: whether the stream takes them; else, and where it refuses one, each result is written alone."""

    def __init__(self, connection: NatsConnection, subject: str, *, batches: bool) -> None:
        self._connection = connection
        self._subject = subject
        self._batches = batches
        self._waiting: dict[_Result, None] = {}
        self._writing = asyncio.Lock()

    async def tell(self, headers: Mapping[str, str], data: bytes) -> None:
        """Until it is kept: what comes while others are written is written together. ``headers``: its id for the
        server among them. Raises what nats-py raises, and ConnectionError; what waited then is for those who wait."""
        result = _Result(headers, data)
        if not self._batches:
            await self._write_alone(result)
            return
        self._waiting[result] = None
        try:
            async with self._writing:
                while not result.is_kept:
                    await self._write(self._together())
        finally:
            self._waiting.pop(result, None)

    def _together(self) -> list[_Result]:
        """The oldest. Together they are no larger than a message may be: a server holds them in memory until they are
        whole, and ends the connection over one that is too large."""
        found: list[_Result] = []
        left = self._connection.client.max_payload // 2
        for result in islice(self._waiting, TOGETHER_MAX):
            left -= result.size
            if found and left < 0:
                break
            found.append(result)
        return found

    async def _write(self, results: list[_Result]) -> None:
        if len(results) == 1 or not await self._written_whole(results):
            for error in await asyncio.gather(*map(self._write_alone, results), return_exceptions=True):
                if error is not None:
                    raise error
        for one in results:
            one.is_kept = True
            self._waiting.pop(one, None)

    async def _write_alone(self, result: _Result) -> None:
        """A server drops it where it has it already."""
        asked = self._connection.jetstream.publish(self._subject, result.data, headers=dict(result.headers))
        await self._connection.within(asked)

    async def _written_whole(self, results: list[_Result]) -> bool:
        """False where the server refuses it, as it does if it has one of them already."""
        try:
            await self._connection.within(self._batch(results))
        except APIError as error:
            if error.err_code is None:
                raise
            return False
        return True

    async def _batch(self, results: list[_Result]) -> None:
        """Only the last one is answered, for all of them."""
        batch = uuid4().hex
        numbered = [
            {**one.headers, BATCH_ID: batch, BATCH_SEQUENCE: str(number)} for number, one in enumerate(results, 1)
        ]
        *others, last = zip(numbered, results, strict=True)
        await self._connection.client.send(
            [command(self._subject, _lines(headers), one.data) for headers, one in others]
        )
        headers, one = last
        await self._connection.jetstream.publish(self._subject, one.data, headers={**headers, BATCH_COMMIT: "1"})


def _lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
