"""The process that judges: opens the shop, closes it, waits until it is quiet, and holds everything against the log."""

import time
import uuid
from collections.abc import Callable, Collection, Set
from typing import Any, Protocol

from stockwire.settings import Settings
from tests.load.catalogue import Catalogue
from tests.load.ledger import Ledger
from tests.load.reports import Reports
from tests.load.shelf import Returned, returns_of
from tests.load.verdict import Fault, Log, agrees, effects, faults, late

ASK_AGAIN_S = 0.5


class Runner(Protocol):
    """Of locust's runners: to every load process, or to this one if it is all there is."""

    def send_message(self, msg_type: str, data: Any = None) -> None: ...


class Judge:
    """One run. ``late_s``: how long after its end an abandoned basket may take to be back on a screen. ``present``: the
    load processes there are, of those that ``runner`` reaches. ``hubs``: as the ledger names them. ``ended``: whether
    the verdict has been asked for."""

    def __init__(
        self,
        runner: Runner,
        present: Callable[[], Collection[str]],
        settings: Settings,
        catalogue: Catalogue,
        quiet_s: float,
        late_s: float,
    ) -> None:
        """Makes what is sold. Raises StockwireError."""
        self.catalogue = catalogue
        self.ended = False
        self._runner = runner
        self._present = present
        self._settings = settings
        self._quiet_s = quiet_s
        self._late_s = late_s
        self._nodes = set(present())  # one that has gone at the end is missed all the same
        self._unheard: set[str] = set()
        with Ledger(settings) as ledger:
            self.hubs = ledger.hubs()
            self._since = ledger.heads()
            opening = ledger.stock_up(catalogue, f"opening-{uuid.uuid4()}")
        self.reports = Reports(opening.events[0].actor)
        self.reports.told.acknowledged[opening.operation] = effects(opening.events)

    def faults(self) -> list[Fault]:
        """Closes the shop. Takes as long as calls under way, the quiet time at most, and the reading of the log.

        Each load process must answer. Raises StockwireError when the audit cannot be read.
        """
        self.ended = True
        nodes = self._nodes | set(self._present())
        self._runner.send_message("close", {})
        self._unheard |= self.reports.await_closed(nodes, self._present)
        with Ledger(self._settings) as ledger:
            self._await_returns(ledger)
            log, quiet = self._settled(ledger, nodes)
        reports = self.reports
        backs, kept = returns_of(log.events, reports.abandoned)
        self._runner.send_message("backs", {"backs": backs})
        self._unheard |= reports.await_returned(nodes - self._unheard, self._present)
        returned = Returned(len(reports.abandoned), kept, reports.times)
        unheard = [f"load process {name} did not answer" for name in sorted(self._unheard)]
        unheard += ["no load process is left"] * (not nodes)
        unheard += [f"{reports.unfinished} calls did not end"] * bool(reports.unfinished)
        found = faults(log, reports.told, reports.screens, reports.delivered, unheard, quiet)
        return [*found, late(returned, self._late_s)]

    def _await_returns(self, ledger: Ledger) -> None:
        """Until nothing is reserved any more, or every abandoned basket should have been back for as long as it may."""
        over = max((ends_at.timestamp() for ends_at in self.reports.abandoned.values()), default=0.0)
        ends = over + self._late_s + self._quiet_s
        while any(level.reserved for level in ledger.levels(self.catalogue.location).values()) and time.time() < ends:
            time.sleep(ASK_AGAIN_S)

    def _settled(self, ledger: Ledger, nodes: Set[str]) -> tuple[Log, str]:
        """The log, once every screen shows what it says or the quiet time is over, and how long that took in words."""
        begun = time.monotonic()
        while True:
            over = time.monotonic() - begun >= self._quiet_s
            self._runner.send_message("show", {"turn": self.reports.begin_turn()})
            self._unheard |= self.reports.await_shown(nodes - self._unheard, self._present)
            took_s = time.monotonic() - begun
            equal = agrees(ledger.levels(self.catalogue.location), self.reports.screens)
            if equal or over:
                log = ledger.log(self.catalogue.location, self._since)
                return log, f"{'equal to the ledger ' if equal else ''}{took_s:.1f} s after the last sale"
            time.sleep(ASK_AGAIN_S)
