"""Which vendors there are adapters for: what is installed under the entry point group ``stockwire.channels``.

Those that come with Stockwire are found in the same way as anybody else's.

VendorUnknown   nothing of that name is installed
VendorBroken    it is, and cannot be loaded
"""

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points

from followers.marketplaces.adapter import Adapter

GROUP = "stockwire.channels"


class VendorUnknown(Exception):
    """The message names those that there are."""


class VendorBroken(Exception):
    """The message says why."""


class Vendors:
    """``find``: the entry points; installed packages are looked at once, at the first question."""

    def __init__(self, find: Callable[[], Iterable[EntryPoint]] = lambda: entry_points(group=GROUP)) -> None:
        self._find = find
        self._found: dict[str, EntryPoint] | None = None
        self._loaded: dict[str, type[Adapter]] = {}

    @property
    def names(self) -> list[str]:
        return sorted(self._points())

    def adapter(self, vendor: str) -> type[Adapter]:
        """Raises VendorUnknown, VendorBroken."""
        if vendor not in self._loaded:
            self._loaded[vendor] = self._load(vendor)
        return self._loaded[vendor]

    def _load(self, vendor: str) -> type[Adapter]:
        point = self._points().get(vendor)
        if point is None:
            raise VendorUnknown(f"is none of {', '.join(self.names) or 'those that are installed: there are none'}")
        try:
            found = point.load()
        except (ImportError, AttributeError, SyntaxError) as error:
            raise VendorBroken(f"{point.value} cannot be loaded: {error}") from error
        if not (isinstance(found, type) and issubclass(found, Adapter)):
            raise VendorBroken(f"{point.value} is no Adapter")
        return found

    def _points(self) -> dict[str, EntryPoint]:
        if self._found is None:
            self._found = {point.name: point for point in self._find()}
        return self._found
