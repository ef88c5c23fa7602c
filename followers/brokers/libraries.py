"""Brokers' clients, which are installed only where somebody asks for a broker."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.settings.extras import BROKERS, not_installed


@contextmanager
def libraries() -> Iterator[None]:
    """Around the import of what imports one. Raises SettingsError if it is missing."""
    try:
        yield
    except ImportError as error:
        raise not_installed(*BROKERS, error) from error
