"""Which port each part of a running system listens on: all from one base, or free ones."""

import random
import socket
from dataclasses import dataclass
from itertools import islice
from typing import Self

from server.settings.environment import SettingsError

HOST = "127.0.0.1"
HUBS_MAX = 16
FREE_RANGE = range(12_000, 32_000)
BASE_MAX = 65535 - 10 * (HUBS_MAX + 1)


@dataclass(frozen=True, slots=True)
class HubPorts:
    stream: int
    read: int
    admin: int


@dataclass(frozen=True, slots=True)
class Ports:
    ledger: int
    ledger_admin: int
    page: int
    console: int
    channels: int
    channels_admin: int
    hubs: tuple[HubPorts, ...]

    @classmethod
    def from_base(cls, base: int, hubs: int) -> Self:
        """8080: ledger 8080, its admin port 8081, page 8082, console 8083, webhooks 8084, their admin port 8085, first
        hub 8090 to 8092, second hub 8100 to 8102 ..."""
        firsts = range(base + 10, base + 10 * (hubs + 1), 10)
        return cls(
            base,
            base + 1,
            base + 2,
            base + 3,
            base + 4,
            base + 5,
            tuple(HubPorts(first, first + 1, first + 2) for first in firsts),
        )

    @classmethod
    def free(cls, hubs: int) -> Self:
        """Ports on which nobody listens, below those that the kernel gives to outgoing connections: one of these could
        take the port of a process that is just being restarted."""
        wanted = 6 + 3 * hubs
        numbers = list(islice(filter(is_free, random.sample(FREE_RANGE, len(FREE_RANGE))), wanted))
        if len(numbers) < wanted:
            raise SettingsError(f"fewer than {wanted} ports are free: choose some with --port BASE")
        triples = zip(*[iter(numbers[6:])] * 3, strict=True)
        ledger, ledger_admin, page, console, channels, channels_admin = numbers[:6]
        hub_ports = tuple(HubPorts(*triple) for triple in triples)
        return cls(ledger, ledger_admin, page, console, channels, channels_admin, hub_ports)

    def named(self) -> dict[str, int]:
        named = {
            "the ledger": self.ledger,
            "the ledger's admin port": self.ledger_admin,
            "the page": self.page,
            "the console": self.console,
            "webhooks": self.channels,
            "webhooks (admin)": self.channels_admin,
        }
        for number, hub in enumerate(self.hubs, 1):
            named |= {
                f"hub {number}": hub.stream,
                f"hub {number} (reads)": hub.read,
                f"hub {number} (admin)": hub.admin,
            }
        return named

    def refuse_taken(self) -> None:
        """Raises SettingsError that names the first port somebody else listens on."""
        for what, port in self.named().items():
            if not is_free(port):
                raise SettingsError(
                    f"port {port} ({what}) is in use: stop what listens there, or choose others with --port BASE "
                    "(0: free ports)"
                )


def is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


def choose(base: int, hubs: int) -> Ports:
    """Raises SettingsError when a port of ``base`` is taken."""
    if base == 0:
        return Ports.free(hubs)
    ports = Ports.from_base(base, hubs)
    ports.refuse_taken()
    return ports
