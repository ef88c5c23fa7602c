"""Movements whose turn comes together go to the ledger in one request; every other command in one of its own.

A request costs the ledger and this process several times what a movement costs. Whoever has a turn has his level to
himself, so a batch has no two of one level, and nothing in it waits for its order
(docs/decisions/0052-movements-go-in-batches.md).
"""

import asyncio
from collections import deque
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from followers.intake.answering import WAIT
from followers.intake.command import MOVEMENT, Command
from followers.intake.ledger import CommandLedger, Reply
from server.http.ledger_api import LedgerAway

COMMANDS_MAX = 64
"""In one request: it is answered when its last is."""
BYTES_MAX = 48 * 2**10
"""Of their bodies: a ledger takes 1,000 lines in one request, and so many have more."""
MANY = 16
"""So many do not wait for the answer to a request before them."""
PATIENT_S = 0.1
"""Nor do fewer for longer: what is long under way waits for a level that somebody has locked."""
REQUESTS_MAX = 8
"""Of batches, at a time."""
PATH = "/v1/operations"
FOR_ALL = WAIT | {HTTPStatus.UNAUTHORIZED, HTTPStatus.MISDIRECTED_REQUEST}
"""Answers that say nothing of any one command."""


class Asked(NamedTuple):
    """``since``: by the loop's clock."""

    since: float
    command: Command
    reply: asyncio.Future[Reply]


class Batches:
    """``send`` as a CommandLedger, with the same answers."""

    def __init__(self, ledger: CommandLedger) -> None:
        self._ledger = ledger
        self._waiting: deque[Asked] = deque()
        self._requests: set[asyncio.Task[None]] = set()
        self._goes_soon = False
        self._goes_later: asyncio.TimerHandle | None = None

    async def send(self, command: Command) -> Reply:
        """Raises LedgerAway: then it may have been done or not, and the same key tells. Cancelled, it may be done."""
        if command.name != MOVEMENT or len(command.body) > BYTES_MAX or lines_of(command) is None:
            return await self._ledger.send(command)
        loop = asyncio.get_running_loop()
        asked = Asked(loop.time(), command, loop.create_future())
        self._waiting.append(asked)
        if not self._goes_soon:  # when all have come whose turn it is now
            self._goes_soon = True
            loop.call_soon(self._go)
        return await asked.reply

    def _go(self) -> None:
        self._goes_soon = False
        loop = asyncio.get_running_loop()
        while self._may_go(loop.time()) and (batch := self._next()):
            request = loop.create_task(self._send(batch), name="batch")
            self._requests.add(request)
            request.add_done_callback(partial(self._ended, batch))
        if self._goes_later is not None:
            self._goes_later.cancel()
            self._goes_later = None
        if self._waiting and len(self._requests) < REQUESTS_MAX:
            self._goes_later = loop.call_at(self._waiting[0].since + PATIENT_S, self._go)

    def _may_go(self, now: float) -> bool:
        under_way, waiting = len(self._requests), len(self._waiting)
        if under_way == 0 or waiting == 0:
            return waiting > 0
        if under_way == 1 and waiting >= MANY:
            return True
        return under_way < REQUESTS_MAX and now >= self._waiting[0].since + PATIENT_S

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

    def _ended(self, batch: list[Asked], request: asyncio.Task[None]) -> None:
        """However it ended, nobody waits any more."""
        self._requests.discard(request)
        error = None if request.cancelled() else request.exception()
        for asked in batch:
            if not asked.reply.done():
                asked.reply.cancel() if error is None else asked.reply.set_exception(error)
        self._go()

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


def lines_of(command: Command) -> bytes | None:
    """Of a movement as ``/v1/operations`` takes it. None: its form is neither of those that ``/v1/movements`` takes."""
    if "lines" not in command.data:
        return b"[" + command.body + b"]"
    if len(command.data) > 1 or not isinstance(command.data["lines"], list):
        return None
    return command.body.removeprefix(b'{"lines":').removesuffix(b"}")


def body_of(commands: list[Command]) -> bytes:
    """Of what is written already, which may be nested as deep as JSON may be."""
    operations = [{"key": command.key, "lines": orjson.Fragment(lines_of(command) or b"")} for command in commands]
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
