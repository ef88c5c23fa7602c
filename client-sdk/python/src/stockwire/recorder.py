"""Calls as their clients saw them, kept for `stockwire.oracle`."""

import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from stockwire.asyncio import AsyncClient
from stockwire.errors import OutcomeUnknown, StockwireError
from stockwire.hold_history import RESERVE, HoldInvocation, operation_id
from stockwire.operation import Line, OperationResult
from stockwire.reservation import Reservation, Wanted

COUNT = "count"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call as its client saw it. A key that was used by several calls has several.

    ``lines``: of kind ``count``, with the units counted as quantity, for a count. ``answer``: the result, the error
    raised, or None if the client never knew.
    """

    owner: str
    key: str
    lines: tuple[Line, ...]
    invoked_s: float
    completed_s: float
    answer: OperationResult | StockwireError | None

    @property
    def counts(self) -> bool:
        return self.lines[0].kind == COUNT

    @property
    def unknown(self) -> bool:
        return self.answer is None or isinstance(self.answer, OutcomeUnknown)

    @property
    def operation(self) -> str:
        """The id that the ledger gives it."""
        return operation_id(self.owner, self.key)

    @property
    def result(self) -> OperationResult | None:
        return self.answer if isinstance(self.answer, OperationResult) else None


@dataclass
class Recorder:
    """Runs operations of one owner and keeps what happened, in ``invocations`` and ``holds``. Share it between tasks,
    not threads."""

    owner: str
    clock: Callable[[], float] = time.monotonic
    invocations: list[Invocation] = field(default_factory=list[Invocation])
    holds: list[HoldInvocation] = field(default_factory=list[HoldInvocation])

    async def operation(self, client: AsyncClient, lines: Sequence[Line], *, key: str | None = None) -> OperationResult:
        """As `AsyncClient.operation`, and raises what it raises; a call that is cancelled has an unknown outcome."""
        key = key or str(uuid.uuid4())
        return await self._record(key, tuple(lines), client.operation(lines, key=key))

    async def count(
        self, client: AsyncClient, sku: str, location: str, on_hand: int, *, if_version: int | None
    ) -> OperationResult:
        """As `Stock.count`."""
        key = str(uuid.uuid4())
        line = Line(sku, location, on_hand, COUNT, if_version=if_version)
        call = client.stock.count(sku, location, on_hand, if_version=if_version, key=key)
        return await self._record(key, (line,), call)

    async def reserve(
        self, client: AsyncClient, lines: Sequence[Wanted], *, ttl_s: int, key: str | None = None
    ) -> Reservation:
        """As `Reservations.reserve`."""
        key = key or str(uuid.uuid4())
        call = client.reservations.reserve(lines, ttl_s=ttl_s, key=key)
        return await self._record_hold(operation_id(self.owner, key), RESERVE, tuple(lines), ttl_s, key, call)

    async def about(
        self,
        client: AsyncClient,
        reservation: str,
        asked: str,
        lines: Sequence[Wanted] | None = None,
        *,
        ttl_s: int | None = None,
        fulfil: bool = False,
        key: str | None = None,
    ) -> Reservation:
        """As the method of `Reservations` that is called ``asked``: commit, fulfil, cancel, extend or change."""
        key = key or str(uuid.uuid4())
        match asked:
            case "commit":
                call = client.reservations.commit(reservation, lines, fulfil=fulfil, key=key)
            case "fulfil":
                call = client.reservations.fulfil(reservation, lines, key=key)
            case "cancel":
                call = client.reservations.cancel(reservation, lines, key=key)
            case "extend":
                call = client.reservations.extend(reservation, ttl_s or 0, key=key)
            case "change":
                call = client.reservations.change(reservation, lines or (), ttl_s=ttl_s, key=key)
            case _:
                raise ValueError(f"{asked} is nothing that can be asked of a reservation")
        return await self._record_hold(reservation, asked, tuple(lines or ()), ttl_s, key, call)

    async def _record_hold(
        self,
        reservation: str,
        asked: str,
        lines: tuple[Wanted, ...],
        ttl_s: int | None,
        key: str,
        call: Coroutine[Any, Any, Reservation],
    ) -> Reservation:
        invoked_s = self.clock()
        answer: Reservation | StockwireError | None = None
        try:
            answer = await call
            return answer
        except StockwireError as error:
            answer = error
            raise
        finally:
            ended_s = self.clock()
            self.holds.append(
                HoldInvocation(self.owner, key, asked, reservation, lines, ttl_s, invoked_s, ended_s, answer)
            )

    async def _record(
        self, key: str, lines: tuple[Line, ...], call: Coroutine[Any, Any, OperationResult]
    ) -> OperationResult:
        invoked_s = self.clock()
        answer: OperationResult | StockwireError | None = None
        try:
            answer = await call
            return answer
        except StockwireError as error:
            answer = error
            raise
        finally:
            self.invocations.append(Invocation(self.owner, key, lines, invoked_s, self.clock(), answer))
