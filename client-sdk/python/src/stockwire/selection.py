"""What can be watched: some skus of a location, a whole location, or everything."""

from collections.abc import Iterable

from stockwire import argument
from stockwire.errors import Invalid
from stockwire.request import is_name

SKUS_MAX = 1_000
"""As many as a hub takes by default. Who wants more watches the whole location."""


def checked_skus(location: str, skus: Iterable[str] | None) -> list[str] | None:
    """``skus`` as a list. What a hub would refuse by its default limits is refused before anything connects.

    Raises Invalid.
    """
    if argument.text("location", location) != "*" and not is_name(location):
        raise Invalid("location", f"{location!r} is not 1 to 64 visible characters without / and *, nor * for all")
    if skus is None:
        return None
    if location == "*":
        raise Invalid("skus", "named skus need one location")
    named = argument.several("skus", skus, ordered=False)
    if not 1 <= len(named) <= SKUS_MAX:
        raise Invalid("skus", f"{len(named)} skus: name 1 to {SKUS_MAX}, or None for the whole location")
    for sku in named:
        if not is_name(argument.text("skus", sku)):
            raise Invalid("skus", f"{sku!r} is not 1 to 64 visible characters without / and *")
    return named
