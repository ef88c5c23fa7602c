"""What one line of an operation asks for. Pure data."""

from datetime import datetime

from msgspec import Struct

from ledger.commit.stock import LevelKey

SIGNS: dict[str, int] = {"receipt": 1, "return": 1, "sale": -1, "write_off": -1, "adjustment": 0}
"""Movement kinds and the sign their quantity must have (0: either)."""

HOLD, RELEASE, COMMIT, FULFIL = "hold", "release", "commit", "fulfil"
"""What becomes of units of a hold: see ``ledger.commit.effects``. Nobody asks for such a line by itself."""

TRANSFER, TRANSIT, LOST = "transfer", "transit", "lost"
"""The legs of a transfer: at a location that units leave or come to, and where they are on their way; and what was lost
there. Nobody asks for such a line by itself either.
"""

COUNT = "count"
MIXED = "mixed"


class Line(Struct, frozen=True, gc=False):
    """What one line asks for. ``quantity``: units to add (negative: to take away); for a count, the units counted; for
    units of a hold, how many of them.

    ``precondition``: ``expected_version`` came by If-Match. ``again``: of a hold's units those that are reserved no
    more, because they had expired.
    """

    sku: str
    location: str
    shard: int
    kind: str
    quantity: int
    expected_version: int | None = None
    precondition: bool = False
    reason: str | None = None
    reference: str | None = None
    occurred_at: datetime | None = None
    again: int = 0


def key_of(line: Line) -> LevelKey:
    return LevelKey(line.shard, line.location, line.sku)
