"""The process that judges: opens the shop, closes it, waits until it is quiet, and holds everything against the log."""

import time
import uuid
from collections.abc import Collection
from typing import Any, Protocol

from stockwire.settings import Settings
from tests.load.catalogue import Catalogue
from tests.load.ledger import Ledger
from tests.load.reports import Reports
from tests.load.verdict import Fault, Log, agrees, effects, faults

ASK_AGAIN_S = 0.5


class Runner(Protocol):
    """Of locust's runners: to every load process, or to this one if it is all there is."""

    def send_message(self, msg_type: str, data: Any = None) -> None: ...


class Judge:
    """One run. ``ended``: whether the verdict has been asked for."""

    def __init__(self, settings: Settings, catalogue: Catalogue, quiet_s: float) -> None:
        """Makes what is sold. Raises StockwireError."""
        self.catalogue = catalogue
        self._settings = settings
        self._quiet_s = quiet_s
        self.ended = False
        with Ledger(settings) as ledger:
            self._since = ledger.heads()
            opening = ledger.stock_up(catalogue, f"opening-{uuid.uuid4()}")
        self.reports = Reports(opening.events[0].actor)
        self.reports.told.acknowledged[opening.operation] = effects(opening.events)

    def faults(self, runner: Runner, nodes: Collection[str]) -> list[Fault]:
        """Closes the shop. Takes as long as calls under way, the quiet time at most, and the reading of the log.

        ``nodes``: the load processes, each of which must answer. Raises StockwireError when the audit cannot be read.
        """
        self.ended = True
        runner.send_message("close", {})
        unheard = self.reports.await_closed(nodes)
        with Ledger(self._settings) as ledger:
            log, quiet = self._settled(ledger, runner, nodes, unheard)
        reports = self.reports
        names = [f"load process {name} did not answer" for name in unheard] + ["none is left"] * (not nodes)
        names += [f"{reports.unfinished} calls did not end"] * bool(reports.unfinished)
        return faults(log, reports.told, reports.screens, reports.delivered, names, quiet)

    def _settled(self, ledger: Ledger, runner: Runner, nodes: Collection[str], unheard: list[str]) -> tuple[Log, str]:
        """The log, once every screen shows what it says or the quiet time is over. Adds to ``unheard``."""
        begun = time.monotonic()
        while True:
            over = time.monotonic() - begun >= self._quiet_s
            runner.send_message("show", {"turn": self.reports.begin_turn()})
            unheard += self.reports.await_shown(set(nodes) - set(unheard))
            took_s = time.monotonic() - begun
            equal = agrees(ledger.levels(self.catalogue.location), self.reports.screens)
            if equal or over:
                log = ledger.log(self.catalogue.location, self._since)
                return log, f"{'equal to the ledger ' if equal else ''}{took_s:.1f} s after the last sale"
            time.sleep(ASK_AGAIN_S)
