"""All attributes of what a relay tells, common and own together."""

from collections.abc import Mapping
from typing import Any

import msgspec

from wire.envelope import (
    COMPLETE,
    LEVEL,
    REWRITTEN,
    Attributes,
    Common,
    of_change,
    of_complete,
    of_level,
    of_rewritten,
    type_of,
)
from wire.messages import LevelState


def change(source: str, epoch: str, event: Mapping[str, Any]) -> Attributes:
    return Common(source, type_of(event["kind"])).attributes | of_change(epoch, level_of(event))


def level(source: str, epoch: str, shard: int, seq: int, row: Mapping[str, Any]) -> Attributes:
    return Common(source, LEVEL).attributes | of_level(epoch, shard, seq, level_of(row))


def rewritten(source: str, epoch: str, shard: int, head: int) -> Attributes:
    return Common(source, REWRITTEN).attributes | of_rewritten(epoch, shard, head)


def complete(source: str, epoch: str, shard: int, head: int) -> Attributes:
    return Common(source, COMPLETE).attributes | of_complete(epoch, shard, head)


def level_of(row: Mapping[str, Any]) -> LevelState:
    """Of ``GET /v1/levels``, or an event, which has all of its fields."""
    return msgspec.convert(row, LevelState)
