"""One marketplace: what all vendors have, and what each says for itself."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.types import ASGIApp

from tests.channels.shared.buyers import Buyers
from tests.channels.shared.faults import Faults
from tests.channels.shared.notices import Notices, Patience, Sender
from tests.channels.shared.rules import Rule, Rules
from tests.channels.shared.selling import Happening, Selling


class Marketplace(ABC):
    """``pace``: quotas refill, and retries come, so many times as fast as documented: ratios stay."""

    def __init__(self, rules: Iterable[Rule], sender: Sender, patience: Patience, pace: float = 1.0) -> None:
        self.pace = pace
        self.rules = Rules(rules)
        self.selling = Selling(self.level_moved, self.order_happened, self.order_id)
        self.buyers = Buyers(self.selling)
        self.notices = Notices(sender, patience, pace)
        self.faults = Faults()
        self.requests: Counter[str] = Counter()
        """By operation, whatever came of it."""
        self.throttled = 0

    @property
    @abstractmethod
    def api(self) -> ASGIApp:
        """The vendor's API."""

    @abstractmethod
    def offer(self, product: Mapping[str, Any]) -> None:
        """``id``, ``title``, ``quantity``, perhaps ``barcode``, and the vendor's own. Raises KeyError if one misses."""

    def order_id(self, number: int) -> str:
        """Of the order with this number, as the vendor writes them."""
        return str(number)

    def unsubscribe(self) -> None:
        """All subscriptions are switched off, as this vendor does it when nobody answers."""
        self.notices.subscriptions.clear()

    @abstractmethod
    def error_in_200(self) -> object:
        """What it answers with status 200 when everything has gone wrong: JSON."""

    @abstractmethod
    def level_moved(self, listing: str) -> None:
        """Tell subscribers, if the vendor does."""

    @abstractmethod
    def order_happened(self, happening: Happening) -> None:
        """Tell subscribers, if the vendor does."""
