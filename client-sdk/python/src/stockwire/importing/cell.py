"""What became of the text of one cell."""

from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Read(NamedTuple, Generic[T]):
    """``value``, or the ``word`` and the ``reason`` why it is none. ``mend``: what was undone to get it.

    Values repeat: each different text of a column is read once, and its lines share what became of it.
    """

    value: T | None
    mend: str = ""
    word: str = ""
    reason: str = ""

    @property
    def sound(self) -> T | None:
        return None if self.word else self.value


def fault(word: str, reason: str) -> Read[Any]:
    return Read(None, "", word, reason)
