"""A till and a provider of the test's own process, for orders against a real ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from stockwire.orders import Declined, Order


class Away(Exception):
    """The provider did not answer."""


@dataclass
class Provider:
    """Charges once under a key. ``told``: what it does with the next questions, one after the other, then it is honest:

    ``lost``: it charges and does not answer; ``away``: it does neither; ``late``: it charges when it is asked again;
    ``no``: it declines, for ever.
    """

    told: list[str] = field(default_factory=list)
    charges: dict[str, str] = field(default_factory=dict)
    refunds: dict[str, str] = field(default_factory=dict)
    declined: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def charge(self, order: Order, key: str) -> str:
        with self._lying(key, order, "charge", self.charges):
            return self.charges[key]

    def find(self, order: Order, key: str) -> str | None:
        self.asked.append(f"find {order.key}")
        for late in self.late:
            self.charges[late] = f"charge of {late}"
        return self.charges.get(key)

    def refund(self, order: Order, key: str) -> str:
        with self._lying(key, order, "refund", self.refunds):
            return self.refunds[key]

    @property
    def kept(self) -> int:
        return len(self.charges) - len(self.refunds)

    @contextmanager
    def _lying(self, key: str, order: Order, what: str, done: dict[str, str]) -> Iterator[None]:
        self.asked.append(f"{what} {order.key}")
        lie = self.told.pop(0) if self.told else ""
        if lie == "no":
            self.declined.add(key)
        if key in self.declined:
            raise Declined("no money")
        if lie == "late":
            self.late.add(key)
        if lie in ("late", "away"):
            raise Away
        done[key] = f"{what} of {key}"
        if lie == "lost":
            raise Away
        yield
