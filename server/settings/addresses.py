"""Whose address a connection has: the peer's own, or what a named proxy says of it. Pure.

Anybody can send ``X-Forwarded-For``. It is believed from the right, hop by hop, for as long as the hop that said it is
one of the proxies that the settings name; the first address that is not one of them is the client's.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
CUSTOMER_PREFIX = 64
"""Bits that all IPv6 addresses of one customer have in common."""
_MAPPED_BITS = 96
"""``::ffff:0:0/96``: how a socket that takes both versions writes IPv4 (RFC 4291, 2.5.5.2)."""


def networks_of(names: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks, such as ``10.0.0.7`` and ``10.0.0.0/8``. Raises ValueError."""
    return tuple(_unmapped(ip_network(name, strict=False)) for name in names)


def client_address(peer: str, forwarded_for: Sequence[str], proxies: Sequence[Network]) -> str:
    """``forwarded_for``: the values of all ``X-Forwarded-For`` headers, in order. The unreadable is not believed.

    In one form for one address, so that it may be counted by: IPv4 as such, IPv6 shortened and without a zone.
    """
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    address = peer
    while hops and is_among(address, proxies):
        hop = hops.pop()
        if _read(hop) is None:
            break
        address = hop
    read = _read(address)
    return address if read is None else str(read)


def is_among(address: str, networks: Sequence[Network]) -> bool:
    read = _read(address)
    return read is not None and any(read in network for network in networks)


def customer_of(address: str) -> str:
    """What counts as one customer: of IPv6 the network that one is given, who may use every address in it.

    What is no address, such as that of a Unix socket, stays as it is.
    """
    read = _read(address)
    if read is None:
        return address
    return str(read) if read.version == 4 else str(ip_network((int(read), CUSTOMER_PREFIX), strict=False))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. Names other than ``localhost`` may mean anything."""
    read = _read(host)
    return host == "localhost" or (read is not None and read.is_loopback)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """IPv4 that is mapped into IPv6 is IPv4; a zone (``%eth0``) only says through which link it came."""
    try:
        read = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(read, "ipv4_mapped", None) or read


def _unmapped(network: Network) -> Network:
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
