"""Which port each part of a running system listens on: all from one base, or free ones."""

import random
import socket
from dataclasses import dataclass
from itertools import islice
from typing import Self

from server.settings.environment import SettingsError

HOST = "127.0.0.1"
HUBS_MAX = 16
SINGLE = 10
"""Ports that there are once, in the order of `Ports`."""
FREE_RANGE = range(12_000, 32_000)
BASE_MAX = 65535 - 10 * (HUBS_MAX + 1)


@dataclass(frozen=True, slots=True)
class HubPorts:
    stream: int
    read: int
    admin: int


@dataclass(frozen=True, slots=True)
class Ports:
    hubs: tuple[HubPorts, ...]
    ledger: int
    ledger_admin: int
    page: int
    console: int
    channels: int
    channels_admin: int
    exporter: int
    prometheus: int
    relay: int
    stream: int

    @classmethod
    def from_base(cls, base: int, hubs: int) -> Self:
        """8080: ledger 8080, its admin port 8081, page 8082, console 8083, webhooks 8084, their admin port 8085,
        exporter 8086, Prometheus 8087, relay 8088, its broker 8089, first hub 8090 to 8092, second hub 8100 to 8102
        ..."""
        firsts = range(base + 10, base + 10 * (hubs + 1), 10)
        return cls(tuple(HubPorts(first, first + 1, first + 2) for first in firsts), *range(base, base + SINGLE))

    @classmethod
    def free(cls, hubs: int) -> Self:
        """Ports on which nobody listens, below those that the kernel gives to outgoing connections: one of these could
        take the port of a process that is just being restarted."""
        wanted = SINGLE + 3 * hubs
        numbers = list(islice(filter(is_free, random.sample(FREE_RANGE, len(FREE_RANGE))), wanted))
        if len(numbers) < wanted:
            raise SettingsError(f"fewer than {wanted} ports are free: choose some with --port BASE")
        triples = zip(*[iter(numbers[SINGLE:])] * 3, strict=True)
        return cls(tuple(HubPorts(*triple) for triple in triples), *numbers[:SINGLE])

    def named(self, *, console: bool, channels: bool, observe: bool, stream: bool) -> dict[str, int]:
        """Those that are listened on."""
        named = {
            "the ledger": self.ledger,
            "the ledger's admin port": self.ledger_admin,
            "the page": self.page,
        }
        if console:
            named |= {"the console": self.console}
        if channels:
            named |= {"webhooks": self.channels, "webhooks (admin)": self.channels_admin}
        if observe:
            named |= {"the exporter": self.exporter, "Prometheus": self.prometheus}
        if stream:
            named |= {"the relay": self.relay, "the relay's broker": self.stream}
        for number, hub in enumerate(self.hubs, 1):
            named |= {
                f"hub {number}": hub.stream,
                f"hub {number} (reads)": hub.read,
                f"hub {number} (admin)": hub.admin,
            }
        return named

    def refuse_taken(self, *, console: bool, channels: bool, observe: bool, stream: bool) -> None:
        """Raises SettingsError that names the first port somebody else listens on."""
        for what, port in self.named(console=console, channels=channels, observe=observe, stream=stream).items():
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


def choose(base: int, hubs: int, *, console: bool, channels: bool, observe: bool, stream: bool) -> Ports:
    """Raises SettingsError when a port of ``base`` is taken that will be listened on."""
    if base == 0:
        return Ports.free(hubs)
    ports = Ports.from_base(base, hubs)
    ports.refuse_taken(console=console, channels=channels, observe=observe, stream=stream)
    return ports
