"""What can be watched: some skus of a location, a whole location, or everything."""

from collections.abc import Sequence

from stockwire.errors import Invalid
from stockwire.request import is_name

SKUS_MAX = 1_000
"""As many as a hub takes by default. Who wants more watches the whole location."""


def check_selection(location: str, skus: Sequence[str] | None) -> None:
    """What a hub would refuse by its default limits is refused before anything connects. Raises Invalid."""
    if location != "*" and not is_name(location):
        raise Invalid("location", f"{location!r} is not 1 to 64 visible characters without / and *, nor * for all")
    if skus is None:
        return
    if location == "*":
        raise Invalid("skus", "named skus need one location")
    if not 1 <= len(skus) <= SKUS_MAX:
        raise Invalid("skus", f"{len(skus)} skus: name 1 to {SKUS_MAX}, or None for the whole location")
    for sku in skus:
        if not is_name(sku):
            raise Invalid("skus", f"{sku!r} is not 1 to 64 visible characters without / and *")
