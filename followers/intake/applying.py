"""Applies commands: each when its turn comes, again and again until it is decided."""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import orjson

from followers.intake import answering
from followers.intake.answering import DEFECTS_MAX, DELIVERIES_MAX, Answer, Dead, Later, Stop, Verdict
from followers.intake.batches import Batches
from followers.intake.command import COMMAND_BYTES_MAX, Command, Unreadable, parse
from followers.intake.counts import Counts
from followers.intake.known import Known
from followers.intake.ledger import CommandLedger
from followers.intake.levels import Levels, levels_of, made_known
from followers.intake.result import attributes_of, data_of
from followers.intake.window import Window
from server.http.ledger_api import LedgerAway
from stockwire.streams import errors as streams
from stockwire.streams.cloud_event import CloudEvent
from wire.envelope import Attributes

AWAY_S, AWAY_S_MAX = 0.1, 5.0
"""Between two tries while the ledger does not answer: doubled each time."""

END_S = 5.0
"""For what is in flight when the process ends; the rest is delivered again."""
OUTLIVED_MAX = 2_000
"""Commands that are remembered to have come to an end here, and may be delivered again: twice what may be in hand."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """To be told, and then the command is acknowledged. ``reply_to``: see Command."""

    attributes: Attributes
    data: bytes
    reply_to: str | None = None


Outcome = Result | Dead


@dataclass(frozen=True, slots=True)
class Turn:
    """``which``: the same for the same message. ``again``: it was delivered before. ``dead``: what was clear at
    once."""

    place: int
    which: int
    again: bool
    command: Command | None
    dead: Dead | None
    come: asyncio.Event = field(default_factory=asyncio.Event)


class Applying:
    """``begin`` in the order of the queue. ``trouble``: why nothing is done now, None while all is well. ``waiting``:
    whether the ledger asked to wait."""

    def __init__(self, ledger: CommandLedger, system: str) -> None:
        self._batches = Batches(ledger)
        self._system = system
        self._window = Window()
        self._turns: dict[int, Turn] = {}
        self._places = itertools.count()
        self._known = Known()
        self._outlived: dict[int, int] = {}
        self._resume_at = 0.0
        self._away = 0
        self.counts = Counts()
        self.trouble: str | None = None

    @property
    def in_flight(self) -> int:
        return len(self._window)

    @property
    def end_s(self) -> float:
        """For what is in flight when the process ends."""
        return END_S if self.trouble is None else 0.0

    @property
    def waiting(self) -> bool:
        return time.monotonic() < self._resume_at

    def begin(
        self, value: bytes, read: Callable[[], CloudEvent], deliveries: int, tell: Callable[[Outcome], Awaitable[None]]
    ) -> asyncio.Task[None]:
        """Its place behind all that came before, as ``enter`` has it, and then ``tell`` of what became of it. Cancelled
        at any time, also before its first step, it gives up its turn."""
        turn = self.enter(value, read, deliveries)
        task = asyncio.create_task(self._through(turn, tell), name="command")
        task.add_done_callback(partial(self._ended, turn))
        return task

    def enter(self, value: bytes, read: Callable[[], CloudEvent], deliveries: int) -> Turn:
        """Its place behind all that came before. ``value``: of the message, which ``read`` reads; ``deliveries``: of
        it, with this one. One that was delivered before is done alone: if it is what ends this process, it shall take
        no others with it."""
        which = hash(value)
        self.counts.taken += 1
        self.counts.redelivered += deliveries > 1
        if deliveries > 1:
            deliveries = max(deliveries - self._outlived.get(which, 0), 2)
        command: Command | None = None
        dead: Dead | None = None
        levels: Levels | None = frozenset()
        try:
            if deliveries > DELIVERIES_MAX:
                dead = answering.delivered_too_often(deliveries)
            elif len(value) > COMMAND_BYTES_MAX:
                raise Unreadable("data", f"has {len(value):,} bytes, and {COMMAND_BYTES_MAX:,} are the most")
            else:
                event = read()
                command = parse(event.attributes, event.data)
                levels = levels_of(command, self._known) if deliveries == 1 else None
        except (streams.Unreadable, Unreadable) as error:
            dead = answering.unreadable(error.field, error.reason)
        turn = Turn(next(self._places), which, deliveries > 1, command, dead)
        self._turns[turn.place] = turn
        if self._window.enter(turn.place, levels):
            turn.come.set()
        return turn

    async def _through(self, turn: Turn, tell: Callable[[Outcome], Awaitable[None]]) -> None:
        if turn.command is None:
            assert turn.dead is not None, "enter made one of the two"
            verdict: Answer | Dead = turn.dead
        else:
            await turn.come.wait()
            verdict = await self._decided(turn.command)
        outcome = self._outcome(turn.command, verdict)
        self._leave(turn)
        await tell(outcome)

    def _leave(self, turn: Turn) -> None:
        """Safe twice."""
        self._turns.pop(turn.place, None)
        for place in self._window.leave(turn.place):
            self._turns[place].come.set()

    def _ended(self, turn: Turn, task: asyncio.Task[None]) -> None:
        """However it ended, this process lives on, so it counts as no death if it is delivered again: when it was given
        up, when it could not be told, and when its acknowledgement is lost."""
        self._leave(turn)
        if turn.again or task.cancelled() or task.exception() is not None:
            self._outlived[turn.which] = self._outlived.get(turn.which, 0) + 1
            if len(self._outlived) > OUTLIVED_MAX:
                del self._outlived[next(iter(self._outlived))]

    async def _decided(self, command: Command) -> Answer | Dead:
        defects = 0
        while True:
            await self._pass()
            verdict = await self._asked(command)
            if isinstance(verdict, Answer | Dead):
                return verdict
            if isinstance(verdict, Later) and not verdict.all_wait:
                defects += verdict.defect
                if defects >= DEFECTS_MAX:
                    return answering.defective(verdict)
                await asyncio.sleep(verdict.after_s)

    async def _pass(self) -> None:
        """When the ledger may be asked."""
        while (left_s := self._resume_at - time.monotonic()) > 0:  # noqa: ASYNC110 - a time, which may be put off
            await asyncio.sleep(left_s)

    async def _asked(self, command: Command) -> Verdict:
        try:
            reply = await self._batches.send(command)
        except LedgerAway as error:
            wait_s = min(AWAY_S * 2**self._away, AWAY_S_MAX)
            self._away = min(self._away + 1, 10)
            self._wait(wait_s, str(error))
            return Later(wait_s, str(error))
        self._away = 0
        verdict = answering.judge(reply.status, reply.body, reply.retry_after_s, command.about)
        if isinstance(verdict, Later):
            self.counts.later += 1
            if verdict.all_wait:
                self._wait(verdict.after_s, None)
        elif isinstance(verdict, Stop):
            self._wait(answering.STOPPED_S, verdict.reason)
        elif self.trouble is not None:
            log.info("the ledger takes commands again")
            self.trouble = None
        return verdict

    def _wait(self, after_s: float, trouble: str | None) -> None:
        """Nothing is begun until then: so nothing overtakes what waits."""
        self._resume_at = max(self._resume_at, time.monotonic() + after_s)
        if trouble is not None and trouble != self.trouble:
            log.warning("no commands are taken reason=%r", trouble)
            self.trouble = trouble

    def _outcome(self, command: Command | None, verdict: Answer | Dead) -> Outcome:
        if isinstance(verdict, Dead) or command is None:
            self.counts.dead += 1
            assert isinstance(verdict, Dead), "what cannot be read is not asked about"
            return verdict
        if verdict.status < 300:
            self.counts.done += 1
            if made := made_known(command, orjson.loads(verdict.body)) if command.about else None:
                self._known.learn(*made)
        else:
            self.counts.refused += 1
        return Result(attributes_of(command, self._system), data_of(verdict), command.reply_to)
