"""Reading settings from the environment: one reader, one list of names, one kind of error for every process.

A setting that makes no sense refuses to start: SettingsError names the variable and says the fix, and a process that
meets one prints it as a single line and exits with status 78 (EX_CONFIG of sysexits.h).
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

EXIT_CONFIG = 78
PREFIX = "STOCKWIRE_"


class SettingsError(Exception):
    """A setting is missing, unknown or makes no sense. The message names it and says the fix."""


class Environment:
    """Typed, checked access to ``STOCKWIRE_*`` variables; remembers which names were asked for."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._known: set[str] = set()

    def text(self, name: str, default: str | None = None) -> str:
        self._known.add(name)
        value = self._variables.get(name, "").strip() or default
        if value is None:
            raise SettingsError(f"{name} is not set: set {name}=...")
        return value

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            raise SettingsError(f"{name}={value!r} is no whole number: set it to {low}..{high}") from None
        if not low <= number <= high:
            raise SettingsError(f"{name}={number} is out of range: set it to {low}..{high}")
        return number

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            raise SettingsError(f"{name}={value!r} is no number: set it to {low}..{high}") from None
        if not low <= number <= high:
            raise SettingsError(f"{name}={number} is out of range: set it to {low}..{high}")
        return number

    def url(self, name: str, schemes: tuple[str, ...], default: str | None = None) -> str:
        """The value is never shown in an error: it may hold a password."""
        value = self.text(name, default)
        try:
            parts = urlsplit(value)
            _ = parts.port  # checked when it is read
        except ValueError:
            raise SettingsError(
                f"{name} has a host or port that cannot be read: correct it, percent-encode / : @ # ? in a password"
            ) from None
        if parts.scheme not in schemes:
            raise SettingsError(f"{name} must begin with {' or '.join(s + '://' for s in schemes)}")
        return value

    def items(self, name: str) -> tuple[str, ...]:
        """A comma-separated list; empty when not set."""
        return tuple(part for part in (p.strip() for p in self.text(name, "").split(",")) if part)

    def secret(self, name: str, *, bytes_min: int = 1) -> str:
        """The value of ``name``, or the content of the file that ``name_FILE`` names. Never shown in an error."""
        self._known.add(f"{name}_FILE")
        path = self._variables.get(f"{name}_FILE")
        value = self._read(name, path) if path else self.text(name)
        if len(value.encode()) < bytes_min:
            raise SettingsError(f"{name} is too short: it needs at least {bytes_min} bytes")
        return value

    def refuse_unknown(self, prefix: str) -> None:
        """Refuse variables that begin with ``prefix`` and that nobody asked for: most are misspelt."""
        unknown = sorted(n for n in self._variables if n.startswith(prefix) and n not in self._known)
        if unknown:
            known = ", ".join(sorted(n for n in self._known if n.startswith(prefix)))
            raise SettingsError(f"{unknown[0]} is not a setting: unset it, or use one of {known}")

    def _read(self, name: str, path: str) -> str:
        self._known.add(name)
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE={path} cannot be read ({error.strerror}): name a readable file") from None
