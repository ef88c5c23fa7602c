"""How much of an item may be held, as its body says it."""

from typing import Annotated

from msgspec import Meta, Struct

from ledger.limits import HOLD_TTL_S_HIGHEST


class ItemHoldLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """None: nothing is said. An item's body without any leaves them as they are: who knows of none takes none away."""

    customer_units: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    ttl_s: Annotated[int, Meta(ge=1, le=HOLD_TTL_S_HIGHEST)] | None = None
    share_percent: Annotated[int, Meta(ge=1, le=100)] | None = None


NOT_LIMITED = ItemHoldLimits()
