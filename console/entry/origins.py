"""Which names the console is called by, and so which pages may speak to it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Origins:
    """``allowed``: as browsers send them in ``Origin``, such as ``https://console.example``."""

    allowed: tuple[str, ...]

    def is_ours(self, origins: Sequence[str]) -> bool:
        """The values of all ``Origin`` headers: exactly one, and one of ours. None at all is no page of ours either."""
        return len(origins) == 1 and origins[0] in self.allowed

    @property
    def encrypted(self) -> bool:
        """Whether people come by HTTPS, by one of them at least."""
        return any(origin.startswith("https:") for origin in self.allowed)

    @property
    def hosts(self) -> tuple[str, ...]:
        """As browsers name them in ``Host``."""
        return tuple(dict.fromkeys(urlsplit(origin).netloc.lower() for origin in self.allowed))


def own_origins(scheme: str, host: str, port: int) -> tuple[str, ...]:
    """Where nothing else is set: the address that is listened on, and the names of this machine for itself.

    >>> own_origins("http", "127.0.0.1", 8083)
    ('http://127.0.0.1:8083', 'http://localhost:8083', 'http://[::1]:8083')
    """
    named = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[scheme]
    names = dict.fromkeys((named, "127.0.0.1", "localhost", "[::1]"))
    return tuple(f"{scheme}://{name}" + ("" if port == usual else f":{port}") for name in names)
