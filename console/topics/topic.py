"""A topic: how it reads what a page asks for, and what it shows."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from console.topics.arguments import Arguments
from console.topics.watch import Watch

A = TypeVar("A")


class Topic(ABC, Generic[A]):
    """``rows``: the field of rows that may travel alone, ``key`` tells them apart; empty: only whole answers.
    ``new_rows``: they are put on top instead of taking the place of others."""

    name: ClassVar[str]
    rows: ClassVar[str] = ""
    key: ClassVar[tuple[str, ...]] = ()
    new_rows: ClassVar[bool] = False

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    @abstractmethod
    def read(self, arguments: Arguments) -> A:
        """A hashable value: who asks for the same is shown the same. Raises Invalid."""

    async def turn(self, asked: A) -> None:
        """Waits until ``asked`` may be worked out. Raises Overloaded: not now."""

    @abstractmethod
    async def data(self, asked: A) -> dict[str, Any]:
        """As `console/contract` has it. Never fails: what cannot be known is null, with its reason."""
