"""A view that one thread changes while others read it."""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from contextlib import AbstractContextManager

from stockwire.view import Key, Replica, View
from stockwire.watched import T


class SharedView(View[T]):
    """Each read sees one moment: ``lock`` is held over every change, and what is iterated over is a copy."""

    def __init__(self, replica: Replica[T], lock: AbstractContextManager[object]) -> None:
        super().__init__(replica)
        self._lock = lock

    def __getitem__(self, key: Key) -> T:
        with self._lock:
            return super().__getitem__(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.copy())

    def __len__(self) -> int:
        with self._lock:
            return super().__len__()

    def keys(self) -> KeysView[Key]:
        return self.copy().keys()

    def values(self) -> ValuesView[T]:
        return self.copy().values()

    def items(self) -> ItemsView[Key, T]:
        return self.copy().items()

    def of(self, keys: Iterable[Key]) -> tuple[T, ...]:
        with self._lock:
            return super().of(keys)

    def copy(self) -> dict[Key, T]:
        with self._lock:
            return super().copy()
