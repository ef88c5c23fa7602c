"""Whose turn it is: on each level one command at a time, in the order in which they came, many levels side by side.

Pure. What is in here is bounded by whoever lets something enter.
"""

from collections.abc import Collection


class Window:
    """Tokens are any numbers, each of which enters once."""

    def __init__(self) -> None:
        self._blockers: dict[int, int] = {}
        self._followers: dict[int, set[int]] = {}
        self._keys: dict[int, Collection[str]] = {}
        self._last: dict[str, int] = {}
        self._alone: int | None = None

    def __len__(self) -> int:
        return len(self._blockers)

    def enter(self, token: int, keys: Collection[str] | None) -> bool:
        """Whether it is its turn now. ``keys``: nobody else with one of them has a turn meanwhile; None: nobody at
        all."""
        if keys is None:
            before = set(self._blockers)
            self._alone = token
        else:
            before = {self._last[key] for key in keys if key in self._last}
            if self._alone is not None:
                before.add(self._alone)
            self._last |= dict.fromkeys(keys, token)
        self._keys[token] = keys or ()
        self._blockers[token] = len(before)
        self._followers[token] = set()
        for one in before:
            self._followers[one].add(token)
        return not before

    def leave(self, token: int) -> list[int]:
        """Its turn is over, or it gave it up. Gives those whose turn it is now. Safe twice."""
        if self._blockers.pop(token, None) is None:
            return []
        for key in self._keys.pop(token):
            if self._last[key] == token:
                del self._last[key]
        if self._alone == token:
            self._alone = None
        freed = []
        for one in sorted(self._followers.pop(token)):
            if one in self._blockers:
                self._blockers[one] -= 1
                if self._blockers[one] == 0:
                    freed.append(one)
        return freed
