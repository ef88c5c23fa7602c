"""Movements whose turn comes together go to the ledger in one request; every other command in one of its own.

A request costs the ledger and this process several times what a movement costs. Whoever has a turn has his level to
himself, so a batch has no two of one level, and nothing in it waits for its order
(docs/decisions/0054-movements-go-in-batches.md).
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from followers.intake.answering import WAIT
from followers.intake.command import MOVEMENT, Command
from followers.intake.ledger import CommandLedger, Reply
from server.http.ledger_api import LedgerAway

COMMANDS_MAX = 32
"""In one request: it is answered when its last is."""
BYTES_MAX = 48 * 2**10
"""Of their bodies: a ledger takes 1,000 lines in one request, and so many have more."""
REQUESTS_MAX = 4
"""Of batches, at a time. What comes meanwhile waits, and goes together."""
PATH = "/v1/operations"
FOR_ALL = WAIT | {HTTPStatus.UNAUTHORIZED, HTTPStatus.MISDIRECTED_REQUEST}
"""Answers that say nothing of any one command."""


class Asked(NamedTuple):
    command: Command
    reply: asyncio.Future[Reply]


class Batches:
    """``send`` as a CommandLedger, with the same answers."""

    def __init__(self, ledger: CommandLedger) -> None:
        self._ledger = ledger
        self._waiting: deque[Asked] = deque()
        self._requests: set[asyncio.Task[None]] = set()
        self._woken = False

    async def send(self, command: Command) -> Reply:
        """Raises LedgerAway: then it may have been done or not, and the same key tells. Cancelled, it may be done."""
        if command.name != MOVEMENT or len(command.body) > BYTES_MAX or lines_of(command) is None:
            return await self._ledger.send(command)
        loop = asyncio.get_running_loop()
        asked = Asked(command, loop.create_future())
        self._waiting.append(asked)
        if not self._woken:  # when all have come whose turn it is now
            self._woken = True
            loop.call_soon(self._wake)
        return await asked.reply

    def _wake(self) -> None:
        self._woken = False
        while len(self._requests) < REQUESTS_MAX and (batch := self._next()):
            request = asyncio.create_task(self._send(batch), name="batch")
            self._requests.add(request)
            request.add_done_callback(self._ended)

    def _next(self) -> list[Asked]:
        """The oldest that nobody has given up."""
        batch: list[Asked] = []
        size = 0
        while self._waiting and len(batch) < COMMANDS_MAX:
            size += len(self._waiting[0].command.body)
            if size > BYTES_MAX and batch:
                break
            asked = self._waiting.popleft()
            if not asked.reply.done():
                batch.append(asked)
        return batch

    def _ended(self, request: asyncio.Task[None]) -> None:
        self._requests.discard(request)
        self._wake()

    async def _send(self, batch: list[Asked]) -> None:
        if len(batch) == 1:
            await self._send_alone(batch[0])
            return
        commands = [asked.command for asked in batch]
        try:
            reply = await self._ledger.post(PATH, body_of(commands))
        except LedgerAway as error:
            for asked in batch:
                _fail(asked, error)
            return
        if reply.status == HTTPStatus.OK:
            for asked, own in zip(batch, replies_of(commands, reply), strict=True):
                _tell(asked, own)
        elif reply.status in FOR_ALL or 300 <= reply.status < 400:
            for asked in batch:
                _tell(asked, reply)
        else:  # one of them spoils it for all: which it is, its own answer says best
            await asyncio.gather(*map(self._send_alone, batch))

    async def _send_alone(self, asked: Asked) -> None:
        try:
            _tell(asked, await self._ledger.send(asked.command))
        except LedgerAway as error:
            _fail(asked, error)


def lines_of(command: Command) -> list[Any] | None:
    """Of a movement as ``/v1/operations`` takes it. None: its form is neither of those that ``/v1/movements`` takes."""
    if "lines" not in command.data:
        return [command.data]
    lines = command.data["lines"]
    return lines if len(command.data) == 1 and isinstance(lines, list) else None


def body_of(commands: list[Command]) -> bytes:
    operations = [{"key": command.key, "lines": lines_of(command)} for command in commands]
    return orjson.dumps({"operations": operations, "events": True})


def replies_of(commands: list[Command], reply: Reply) -> list[Reply]:
    """Of each command, as if it had been sent alone; what is no answer of a ledger is what each of them got."""
    try:
        results = orjson.loads(reply.body)["results"]
        if [result["key"] for result in results] == [command.key for command in commands]:
            return [_reply_of(result) for result in results]
    except (ValueError, TypeError, KeyError):
        pass
    return [reply] * len(commands)


def _reply_of(result: dict[str, Any]) -> Reply:
    """Of one that has to wait its document says for how long, as the header of an answer does."""
    status, wait_s = result["status"], result.get("retry_after_s")
    del result["key"], result["replayed"]
    if status == HTTPStatus.CREATED:
        del result["status"]  # a problem has it, an answer has not
    return Reply(status, orjson.dumps(result), wait_s if isinstance(wait_s, int) else None)


def _tell(asked: Asked, reply: Reply) -> None:
    if not asked.reply.done():  # given up meanwhile
        asked.reply.set_result(reply)


def _fail(asked: Asked, error: LedgerAway) -> None:
    if not asked.reply.done():
        asked.reply.set_exception(LedgerAway(str(error)))
