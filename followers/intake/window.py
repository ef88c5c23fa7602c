"""Whose turn it is: on each level one command at a time, in the order in which they came, many levels side by side.

Pure. What is in here is bounded by whoever lets something enter.
"""

from collections.abc import Collection


class Window:
    """Tokens are numbers, each larger than those that entered before. They leave in any order."""

    def __init__(self) -> None:
        self._keys: dict[int, Collection[str] | None] = {}
        self._lines: dict[str, dict[int, None]] = {}
        """By key, who has it, in the order in which they came; so are the other two."""
        self._alone: dict[int, None] = {}
        self._waiting: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def enter(self, token: int, keys: Collection[str] | None) -> bool:
        """Whether it is its turn now. ``keys``: nobody else with one of them has a turn meanwhile; None: nobody at
        all."""
        self._keys[token] = keys
        if keys is None:
            self._alone[token] = None
        else:
            for key in keys:
                self._lines.setdefault(key, {})[token] = None
        if self._is_next(token):
            return True
        self._waiting[token] = None
        return False

    def leave(self, token: int) -> list[int]:
        """Its turn is over, or it gave it up: then those behind it wait for those before it. Gives those whose turn it
        is now. Safe twice."""
        if token not in self._keys:
            return []
        keys = self._keys.pop(token)
        self._waiting.pop(token, None)
        if keys is None:
            del self._alone[token]
            may_be_next = list(self._waiting)
        else:
            may_be_next = [*self._left_behind(token, keys), *self._alone]
        freed = sorted({one for one in may_be_next if one in self._waiting and self._is_next(one)})
        for one in freed:
            del self._waiting[one]
        return freed

    def _left_behind(self, token: int, keys: Collection[str]) -> list[int]:
        """Takes it out of its lines. Gives who stands first there now."""
        first = []
        for key in keys:
            line = self._lines[key]
            del line[token]
            if line:
                first.append(next(iter(line)))
            else:
                del self._lines[key]
        return first

    def _is_next(self, token: int) -> bool:
        keys = self._keys[token]
        if keys is None:
            return next(iter(self._keys)) == token
        if self._alone and next(iter(self._alone)) < token:
            return False
        return all(next(iter(self._lines[key])) == token for key in keys)
