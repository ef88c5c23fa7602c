"""A level as the commit path knows it: which one it is, and what stands there."""

from typing import NamedTuple

from msgspec import Struct


class LevelKey(NamedTuple):
    """Sorts as the locks are taken: by shard, then location and sku by code point (UTF-8's byte order)."""

    shard: int
    location: str
    sku: str


class Stock(Struct, frozen=True, gc=False):
    """What a writer remembers of a level. ``view_version`` counts the changes of what the public sees of it."""

    on_hand: int
    reserved: int
    version: int
    view_version: int = 0

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved
