"""Brokers' clients, which are installed only where somebody asks for a broker."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from server.settings.environment import SettingsError

MISSING = (
    "brokers need libraries that are not installed: run"
    f" python3 -m pip --python {sys.executable} install --require-hashes -r requirements-streams.txt"
)
"""``make up`` makes an environment without pip."""


@contextmanager
def libraries() -> Iterator[None]:
    """Around the import of what imports one. Raises SettingsError if it is missing."""
    try:
        yield
    except ImportError as error:
        raise SettingsError(f"{MISSING} ({error})") from error
