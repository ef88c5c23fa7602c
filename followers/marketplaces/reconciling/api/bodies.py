"""Bodies of requests about reconciliation."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from followers.marketplaces.reconciling.comparing import DriftClass

IDS_MAX = 1_000
WHY_CHARACTERS_MAX = 500


class NewRun(Struct, frozen=True, forbid_unknown_fields=True):
    """``repairs``: what the channel's policy allows is repaired."""

    repairs: bool = False


class Decision(Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "class"}):
    """About open drift: those of ``ids`` and all of ``class``. ``dismiss``: leave it until it is another difference."""

    how: Literal["accept", "dismiss"]
    why: Annotated[str, Meta(min_length=1, max_length=WHY_CHARACTERS_MAX, pattern=r"^[^\x00]*\Z")]
    ids: Annotated[list[Annotated[int, Meta(ge=1, le=2**63 - 1)]], Meta(max_length=IDS_MAX)] = []
    kind: DriftClass | None = None


new_run = msgspec.json.Decoder(NewRun)
decision = msgspec.json.Decoder(Decision)
