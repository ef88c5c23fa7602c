"""All that is watched, as topics are given it."""

from dataclasses import dataclass

from console.following.catalogue import Catalogue
from console.following.control import Control
from console.following.doctor import Doctor
from console.following.ledger import Ledger
from console.following.levels import Levels
from console.following.log import Log
from console.following.nodes import Nodes
from console.watched.history import History


@dataclass(frozen=True, slots=True)
class Watch:
    ledger: Ledger
    levels: Levels
    log: Log
    nodes: Nodes
    catalogue: Catalogue
    doctor: Doctor
    control: Control
    history: History

    def name_of(self, sku: str) -> str | None:
        """The item's; None if nobody listed one."""
        return self.levels.table.names.get(sku)
