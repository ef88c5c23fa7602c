"""Whose address a connection has: the peer's own, or what a named proxy says of it. Pure.

Anybody can send ``X-Forwarded-For``. It is believed from the right, hop by hop, for as long as the hop that said it is
one of the proxies that the settings name; the first address that is not one of them is the client's.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks_of(names: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks, such as ``10.0.0.7`` and ``10.0.0.0/8``. Raises ValueError."""
    return tuple(ip_network(name, strict=False) for name in names)


def client_address(peer: str, forwarded_for: Sequence[str], proxies: Sequence[Network]) -> str:
    """``forwarded_for``: the values of all ``X-Forwarded-For`` headers, in order. The unreadable is not believed."""
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    address = peer
    while hops and is_among(address, proxies):
        hop = hops.pop()
        if not _is_address(hop):
            break
        address = hop
    return address


def is_among(address: str, networks: Sequence[Network]) -> bool:
    if not _is_address(address):
        return False
    read = ip_address(address)
    mapped = getattr(read, "ipv4_mapped", None) or read
    return any(mapped in network for network in networks)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. Names other than ``localhost`` may mean anything."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
