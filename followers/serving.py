"""A follower that serves nothing but its admin port, as a process."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from server.http.listening import bind, url_of
from server.process import handle_signals, ready, run
from server.tls.certificate import Certificate, Tls


class Settings(Protocol):
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def certificate(self) -> Certificate | None: ...


class Follower(Protocol):
    def stop(self) -> None: ...
    async def run(self, listener: socket.socket, announce: Callable[[], None]) -> None: ...


Given = TypeVar("Given", bound=Settings)


def serve(
    name: str,
    port_settings: tuple[str, str],
    read_settings: Callable[[Mapping[str, str]], Given],
    make: Callable[[Given, Tls | None], Follower],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Until SIGTERM or SIGINT. SIGHUP: a renewed certificate is taken. Returns the exit status.

    ``name``: in its ready line. ``port_settings``: of host and port. ``make``: within the loop; raises SettingsError.
    """

    async def served(settings: Given) -> None:
        tls = Tls(settings.certificate) if settings.certificate else None
        admin_tls = None if tls is None else tls.beyond_loopback(settings.host)
        listener = bind(settings.host, settings.port, *port_settings)
        follower = make(settings, admin_tls)
        handle_signals(follower.stop, tls)
        admin = url_of("http", listener, admin_tls)
        await follower.run(listener, lambda: ready(name, {"admin": admin}))

    return run(read_settings, served, loop_factory)
