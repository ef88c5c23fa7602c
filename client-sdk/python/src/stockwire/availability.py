"""What the public sees of a level: whether it can be had, and never how many exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stockwire.level import integer, text


@dataclass(frozen=True, slots=True)
class Availability:
    """``availability`` is ``in_stock``, ``low`` or ``out``; ``quantity`` the largest public step that is available,
    with a plus (``10+``), or ``0``.

    ``version`` counts the changes of this, not those of the level, and is the same on every hub; 0: the level has never
    moved.
    """

    sku: str
    location: str
    version: int
    availability: str
    quantity: str

    @property
    def key(self) -> tuple[str, str]:
        """``(location, sku)``, by which a view finds it."""
        return (self.location, self.sku)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Availability":
        """Raises Malformed. Unknown fields are ignored."""
        return cls(
            sku=text(data, "sku"),
            location=text(data, "location"),
            version=integer(data, "version"),
            availability=text(data, "availability"),
            quantity=text(data, "quantity"),
        )

    def never(self) -> "Availability":
        """As it reads where nothing has ever been booked."""
        return Availability(self.sku, self.location, 0, "out", "0")
