"""Bodies of requests about what was oversold."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from followers.marketplaces.orders.knowing import ID_CHARACTERS_MAX
from wire.messages import Name

WHY_CHARACTERS_MAX = 500


class Resolution(Struct, frozen=True, forbid_unknown_fields=True):
    """``how``: ``book`` tries once more, ``give_up`` leaves it unbooked for good."""

    order: Annotated[str, Meta(min_length=1, max_length=ID_CHARACTERS_MAX, pattern=r"^[^\x00]*\Z")]
    sku: Name
    how: Literal["book", "give_up"]
    why: Annotated[str, Meta(min_length=1, max_length=WHY_CHARACTERS_MAX, pattern=r"^[^\x00]*\Z")]


resolution = msgspec.json.Decoder(Resolution)
