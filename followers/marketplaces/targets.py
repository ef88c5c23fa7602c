"""What a listing shall offer: the one formula, for pushing, reconciliation and whoever asks. Pure."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

QUANTITY_MAX = 1_000_000_000


def target_of(available: Sequence[int], *, share: Decimal, buffer: int, safety: int, cap: int | None) -> int:
    """``available``: of each mapped location; those below 0 count, since they are owed.

    ``max(0, min(cap, floor((sum(available) - safety - buffer) * share)))``
    """
    offered = int(((sum(available) - safety - buffer) * share).to_integral_value(ROUND_FLOOR))
    return max(0, min(offered, QUANTITY_MAX if cap is None else cap))
