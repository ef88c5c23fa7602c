"""What an endpoint may see of a location, by the scopes of its owner's key. Pure."""

from collections.abc import Collection
from enum import Enum

from wire.scopes import PUBLIC, READ, allows


class Sight(Enum):
    """How much of a level somebody sees."""

    EXACT = "exact"
    PUBLIC = "public"


def sight_of(scopes: Collection[str], location: str) -> Sight | None:
    """None: nothing of it."""
    if allows(scopes, READ + location):
        return Sight.EXACT
    return Sight.PUBLIC if allows(scopes, PUBLIC + location) else None
