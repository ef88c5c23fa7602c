"""What a page asks for with a topic, read strictly: whoever misspells a filter must not be shown everything. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from console.moments import seconds_of, text_of
from server.problems import Invalid

TEXT_MAX = 256
LIST_MAX = 32


class Arguments:
    """Each is asked for once, then ``done``. All raise Invalid."""

    def __init__(self, given: object) -> None:
        if not isinstance(given, dict):
            raise Invalid("args", "an object is required")
        self._given: Mapping[str, Any] = given
        self._read: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        value = self._take(name, default)
        if not isinstance(value, str) or len(value) > TEXT_MAX:
            raise Invalid(name, f"text of at most {TEXT_MAX} characters is required")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self._take(name, None) is None else self.text(name)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self._take(name, default)
        if type(value) is not int or not low <= value <= high:
            raise Invalid(name, f"a whole number from {low} to {high} is required")
        return value

    def optional_whole(self, name: str, low: int, high: int) -> int | None:
        return None if self._take(name, None) is None else self.whole(name, low, low, high)

    def flag(self, name: str) -> bool:
        value = self._take(name, False)
        if not isinstance(value, bool):
            raise Invalid(name, "true or false is required")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str:
        value = self.text(name, choices[0])
        if value not in choices:
            raise Invalid(name, f"one of {', '.join(choices)} is required")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._take(name, [])
        good = isinstance(value, list) and len(value) <= LIST_MAX
        if not good or any(not isinstance(one, str) or len(one) > TEXT_MAX for one in value):
            raise Invalid(name, f"a list of at most {LIST_MAX} texts is required")
        return tuple(value)

    def moment(self, name: str) -> float | None:
        """Unix time."""
        given = self.optional_text(name)
        if given is None:
            return None
        try:
            moment_s = seconds_of(given)
            text_of(moment_s)  # in UTC it may be before the first year, or behind the last
            return moment_s
        except (ValueError, OverflowError):
            raise Invalid(name, "a time with an offset is required, as in 2026-11-22T10:00:00Z") from None

    def done(self) -> None:
        if unknown := self._given.keys() - self._read:
            raise Invalid(str(min(unknown))[:TEXT_MAX], "there is no such argument")

    def _take(self, name: str, default: object) -> Any:
        self._read.add(name)
        return self._given.get(name, default)
