"""What a subscription can hold: levels, or what a hub derives from them."""

from typing import TYPE_CHECKING, Protocol

from stockwire.level import Level


class Held(Protocol):
    """One thing of a view: absolute, so within an epoch the one with the highest version is the newest."""

    @property
    def key(self) -> tuple[str, str]:
        """``(location, sku)``"""
        ...

    @property
    def version(self) -> int: ...


if TYPE_CHECKING:  # the default, so that `View` alone is one of levels, is of Python 3.13; every checker knows it
    from typing_extensions import TypeVar

    T = TypeVar("T", bound=Held, default=Level)
else:
    from typing import TypeVar

    T = TypeVar("T", bound=Held)
