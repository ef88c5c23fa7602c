"""Who may be reached: what a URL from outside may be, and which addresses its name may lead to. Pure.

The URL is looked at when it is given, so that who gave it learns of a mistake at once. What protects this
network is ``refusal``, which is asked of each address at the moment of the connect: a name may lead elsewhere by then.
"""

import re
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from server.settings.addresses import Network

URL_CHARACTERS_MAX = 2_048
PORTS = frozenset({443, 8443})
HTTP_PORT, HTTPS_PORT = 80, 443

Address = IPv4Address | IPv6Address

CLOSED: dict[str, tuple[str, ...]] = {
    "this host": ("0.0.0.0/8", "127.0.0.0/8", "::/127"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "metadata": ("168.63.129.16/32",),  # Azure's; those of the others are link-local, private or reserved
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": (
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20", "64:ff9b:1::/48", "100::/64"),
    ),
}
"""IANA's special-purpose registries (RFC 6890). Of IPv6 nothing but 2000::/3 is given out at all."""
_CLOSED = [
    (kind, IPv6Network(network) if ":" in network else IPv4Network(network))
    for kind, networks in CLOSED.items()
    for network in networks
]
_GIVEN_OUT = IPv6Network("2000::/3")
_LOW_32 = (
    IPv6Network("::ffff:0:0/96"),  # mapped: RFC 4291, 2.5.5.2
    IPv6Network("::ffff:0:0:0/96"),  # translated: RFC 2765, 2.1
    IPv6Network("::/96"),  # compatible: RFC 4291, 2.5.5.1
    IPv6Network("64:ff9b::/96"),  # NAT64: RFC 6052
)
"""Where an IPv6 address is an IPv4 address, in its last 32 bits."""
_6TO4 = IPv6Network("2002::/16")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""RFC 5214, 6.1: in front of the last 32 bits."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII)
_ODD_NUMBER = re.compile(r"(0[xX][0-9A-Fa-f]*|[0-9]+)")
"""What the last label of an address is in one of the notations of ``inet_aton``; no name ends in a number."""


class UrlRefused(Exception):
    """The message says what is wrong with the URL and what to write."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """``opened``: networks that may be reached although they are closed, and unencrypted. ``ports``: the only ones.

    ``only_opened``: of a connection that is not encrypted.
    """

    opened: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS
    only_opened: bool = False

    def unencrypted(self) -> "Addresses":
        return replace(self, only_opened=True)

    def refusal(self, address: str, port: int) -> str | None:
        """Why a connection to ``address`` may not be made, in words that say nothing of this network."""
        try:
            met = readings(ip_address(address.partition("%")[0]))
        except ValueError:
            return "leads to what is no address"
        if any(one in network for one in met for network in self.opened):
            return None
        if self.only_opened:
            return "is not encrypted: use https"
        if port not in self.ports:
            return f"uses port {port}, which is not one of {self._ports_text()}"
        kind = next((kind for one in met if (kind := closed_kind(one))), None)
        return f"leads to an address that is not reached from here ({kind})" if kind else None

    def check_url(self, url: str) -> None:
        """Raises UrlRefused."""
        scheme, host, port = _parts(url)
        if scheme == "http" and not self.opened:
            raise UrlRefused("must begin with https://")
        if port not in self.ports and not self.opened:
            raise UrlRefused(f"has port {port}: use one of {self._ports_text()}")
        literal = _literal(host)
        if literal is None:
            return
        policy = self.unencrypted() if scheme == "http" else self
        if reason := policy.refusal(literal, port):
            raise UrlRefused(reason)

    def _ports_text(self) -> str:
        return ", ".join(map(str, sorted(self.ports)))


def readings(address: Address) -> tuple[Address, ...]:
    """The address, and the IPv4 address that a gateway may take it for."""
    if isinstance(address, IPv4Address):
        return (address,)
    number = int(address)
    if any(address in network for network in _LOW_32) and number > 1:
        return (IPv4Address(number & 0xFFFF_FFFF),)
    if address in _6TO4:
        return (address, IPv4Address(number >> 80 & 0xFFFF_FFFF))
    if number >> 32 & 0xFFFF_FFFF in _ISATAP:
        return (address, IPv4Address(number & 0xFFFF_FFFF))
    return (address,)


def closed_kind(address: Address) -> str | None:
    for kind, network in _CLOSED:
        if address.version == network.version and address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return "reserved"
    return None


def _parts(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises UrlRefused."""
    if len(url) > URL_CHARACTERS_MAX:
        raise UrlRefused(f"has {len(url)} characters: at most {URL_CHARACTERS_MAX}")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise UrlRefused("must be visible ASCII characters without \\: percent-encode others, write a name in punycode")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlRefused("has a host or port that cannot be read") from None
    if parts.scheme not in ("https", "http"):
        raise UrlRefused("must begin with https://")
    if "@" in parts.netloc:
        raise UrlRefused("has credentials: a receiver trusts the signature, leave them out")
    if parts.fragment or url.endswith("#"):
        raise UrlRefused("has a fragment, which is never sent: leave it out")
    if not parts.hostname:
        raise UrlRefused("names no host")
    if port is None:
        port = HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
    return parts.scheme, parts.hostname, port


def _literal(host: str) -> str | None:
    """The address that ``host`` is; None for a name. Raises UrlRefused for what is neither."""
    if ":" in host:
        if "%" in host:
            raise UrlRefused("has a zone in its address: only this network knows it")
        try:
            return str(ip_address(host))
        except ValueError:
            raise UrlRefused("has an address that cannot be read") from None
    try:
        return str(IPv4Address(host))
    except ValueError:
        pass
    bare = host.rstrip(".")
    if _ODD_NUMBER.fullmatch(bare.rpartition(".")[2]):
        raise UrlRefused("has a number for a host: write an address as four decimal numbers")
    if not _HOST.fullmatch(bare) or ".." in host:
        raise UrlRefused("has a host that is no name")
    if bare == "localhost" or bare.endswith(".localhost"):
        return "127.0.0.1"  # RFC 6761, 6.3
    return None
