"""Where a broker is, from one URL: which kind, its hosts, encrypted or not. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

KAFKA, RABBITMQ, NATS = "kafka", "rabbitmq", "nats"
SCHEMES = {
    "kafka": (KAFKA, False),
    "kafkas": (KAFKA, True),
    "rabbitmq": (RABBITMQ, False),
    "rabbitmqs": (RABBITMQ, True),
    "nats": (NATS, False),
    "tls": (NATS, True),
}
"""The kind of broker, and whether the connection is encrypted. NATS calls its own ``tls://``."""
HOSTS_MAX = 32
"""More than any client needs to find all others from."""
VHOST = "/"
"""RabbitMQ's, where none is named."""


class AddressUnusable(ValueError):
    """The message says what is wrong and the fix; never the URL, which may hold a password."""


@dataclass(frozen=True, slots=True)
class Address:
    """``hosts``: each with its port, None where none is named. ``vhost``: of RabbitMQ. ``options``: of the query."""

    scheme: str
    hosts: tuple[tuple[str, int | None], ...]
    vhost: str
    options: Mapping[str, str]

    @property
    def kind(self) -> str:
        return SCHEMES[self.scheme][0]

    @property
    def tls(self) -> bool:
        return SCHEMES[self.scheme][1]

    def endpoints(self, port: int) -> list[tuple[str, int]]:
        """``port``: where none is named."""
        return [(host, named or port) for host, named in self.hosts]

    def servers(self, port: int) -> list[str]:
        """As ``host:port``, IPv6 in brackets."""
        return [f"{_bracketed(host)}:{number}" for host, number in self.endpoints(port)]

    def __str__(self) -> str:
        hosts = (_bracketed(host) + (f":{port}" if port else "") for host, port in self.hosts)
        return f"{self.scheme}://{','.join(hosts)}"


def address_of(url: str, options: Mapping[str, Sequence[str]]) -> Address:
    """``options``: those that may stand in the query, by kind of broker. Raises AddressUnusable.

    >>> str(address_of("kafka://broker-1:9092,broker-2", {}))
    'kafka://broker-1:9092,broker-2'
    >>> address_of("rabbitmq://broker/shop?exchange=stock", {"rabbitmq": ["exchange"]}).options
    {'exchange': 'stock'}
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise AddressUnusable("cannot be read: write kafka://host:port, rabbitmq://... or nats://...") from None
    if parts.scheme not in SCHEMES:
        raise AddressUnusable(f"must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if "@" in url:
        raise AddressUnusable(
            "holds a user or a password: set STOCKWIRE_BROKER_USER and STOCKWIRE_BROKER_PASSWORD_FILE instead"
        )
    kind, _ = SCHEMES[parts.scheme]
    hosts = tuple(map(_host, parts.netloc.split(",")))
    if len(hosts) > HOSTS_MAX:
        raise AddressUnusable(f"has {len(hosts)} hosts, and {HOSTS_MAX} are the most: name those to begin with")
    return Address(parts.scheme, hosts, _vhost(kind, parts.path), _options(parts, options.get(kind, ())))


def _host(text: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressUnusable("has a host or port that cannot be read: write host:port,host:port") from None
    if not host or port == 0 or any(letter.isspace() for letter in host):
        raise AddressUnusable("lacks a host or has one that cannot be read: write host:port,host:port")
    return host, port


def _vhost(kind: str, path: str) -> str:
    if path in ("", "/"):
        return VHOST
    if kind != RABBITMQ:
        raise AddressUnusable("has a path, which means nothing there: take it out")
    return unquote(path[1:])


def _options(parts: SplitResult, known: Sequence[str]) -> dict[str, str]:
    if parts.fragment:
        raise AddressUnusable("has a #, which means nothing there: take it out")
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise AddressUnusable("has something behind its ? that cannot be read: write ?name=value") from None
    options = dict(pairs)
    for name, value in pairs:
        if name not in known:
            allowed = f", or write {' or '.join(known)}" if known else ""
            raise AddressUnusable(f"has {name!r} behind its ?, which means nothing there: take it out{allowed}")
        if not value:
            raise AddressUnusable(f"has no value for {name}: write ?{name}=value")
    if len(options) < len(pairs):
        raise AddressUnusable("names something twice behind its ?: leave one")
    return options


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
