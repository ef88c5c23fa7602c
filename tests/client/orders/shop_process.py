"""A shop that is killed: ``python -m tests.client.orders.shop_process``, in a folder with the how-to's programs.

It forks a child for each attempt at an order, as a web server forks its workers; a child kills itself with SIGKILL at
the point that its attempt names. What it reads is a `Task` as JSON, what it prints are the points where children died.
"""

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stockwire import Client, Invalid, held
from stockwire.orders import OrderBusy, OrderError, Orders, SqliteJournal

POINTS = tuple(
    f"{side} {name}"
    for name in (
        *("journal.begin", "journal.claim", "journal.save"),
        *("ledger.reserve", "ledger.extend", "ledger.commit", "ledger.fulfil", "ledger.cancel"),
        *("provider.charge", "provider.find", "provider.refund"),
    )
    for side in ("before", "after")
)
"""All that an order does outside of its own process."""
LEASE_S = 0.2
PATIENCE_S = 0.3
"""For an answer of the provider, which falls silent for longer."""
LAST_PATIENCE_S = 4.0
"""Of who is not killed: by then the provider has lied as often as it does, and a slow disk is no lie."""
NOWHERE = "nowhere"
BUSY_MAX = 200
"""Waits for the lease of a child that was killed, or still works."""


@dataclass(frozen=True)
class Attempt:
    """``point``: where it is killed, the ``nth`` time that it comes there; empty: it is the last to try."""

    order: str
    units: int
    ttl_s: int
    card: str
    point: str = ""
    nth: int = 1
    fulfil: bool = False


@dataclass(frozen=True)
class Task:
    """``attempts``: one after the other; those of one tuple at the same time."""

    url: str
    key: str
    sku: str
    location: str
    attempts: Sequence[Sequence[Attempt]]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> "Task":
        said = json.loads(text)
        said["attempts"] = [[Attempt(**attempt) for attempt in together] for together in said["attempts"]]
        return cls(**said)


class Fate:
    """Kills this process where its attempt says."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._left = attempt.nth

    def __call__(self, point: str) -> None:
        if point == self._attempt.point:
            self._left -= 1
            if not self._left:
                os.write(1, f"{self._attempt.order} {point}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """Whatever it is, with fate before and after each call."""

    def __init__(self, thing: object, name: str, fate: Fate) -> None:
        self._thing, self._name, self._fate = thing, name, fate

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return watched(getattr(self._thing, name), f"{self._name}.{name}", self._fate)


def watched(function: Callable[..., Any], name: str, fate: Fate) -> Callable[..., Any]:
    def called(*given: Any, **named: Any) -> Any:
        fate(f"before {name}")
        try:
            return function(*given, **named)
        finally:
            fate(f"after {name}")

    return called


def attempted(task: Task, attempt: Attempt) -> None:
    payment = importlib.import_module("payment")
    vars(payment)["PATIENCE_S"] = PATIENCE_S if attempt.point else LAST_PATIENCE_S
    fate = Fate(attempt)
    with Client(task.url, task.key) as client, SqliteJournal("orders.db") as journal:
        client.reservations = Watched(client.reservations, "ledger", fate)  # type: ignore[assignment]  # the same methods
        asked: dict[str, Any] = {
            name: watched(getattr(payment, name), f"provider.{name}", fate) for name in ("charge", "find", "refund")
        }
        orders = Orders(client, Watched(journal, "journal", fate), lease_s=LEASE_S, **asked)
        order = orders.order(
            [held(task.sku, task.location, attempt.units)],
            key=attempt.order,
            ttl_s=attempt.ttl_s,
            data={"cents": 100 * attempt.units, "card": attempt.card},
        )
        for _ in range(BUSY_MAX):
            try:
                if attempt.fulfil:
                    order.reserve().charge().commit().fulfil()
                else:
                    order.commit()
                return
            except OrderBusy as busy:
                time.sleep(min(busy.for_s, LEASE_S) + 0.01)
            except OrderError:
                return  # what became of it stands in the journal
            except (OSError, Invalid):
                return  # a refund that the provider left open
        raise AssertionError(f"{attempt.order} is busy for ever")


def forked(task: Task, attempt: Attempt) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        attempted(task, attempt)
        status = 0
    except BaseException as error:  # noqa: BLE001 - a child never runs on in its parent's code
        os.write(2, f"{attempt}: {error!r}\n".encode())
    os._exit(status)


def main() -> None:
    task = Task.of_json(sys.stdin.read())
    sys.path.insert(0, os.getcwd())
    importlib.import_module("payment")  # once, for all children
    failed = 0
    for together in task.attempts:
        for child in [forked(task, attempt) for attempt in together]:
            _, status = os.waitpid(child, 0)
            failed += os.waitstatus_to_exitcode(status) not in (0, -signal.SIGKILL)
    sys.exit(min(failed, 1))


if __name__ == "__main__":
    main()
