"""``python -m followers.relay``: writes every change to a broker; any number of them may run."""

import asyncio
import os
import sys

import uvloop

from server.imports import lean

with lean():
    from followers.relay.process import Relay
    from followers.relay.settings import HOST, PORT, Settings, read_settings
    from followers.relay.sinks import sink_of
    from server.http.listening import bind, url_of
    from server.log import end_with, log_form, log_to_stderr
    from server.process import first_of, handle_signals, ready
    from server.settings.environment import EXIT_CONFIG, SettingsError
    from server.tls.certificate import Tls


def main() -> int:
    status = 0
    try:
        log_to_stderr(log_form(os.environ))
        settings = read_settings(os.environ)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings))
    except* SettingsError as group:
        status = end_with(EXIT_CONFIG, first_of(group))
    return status


async def _serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. SIGHUP: a renewed certificate is taken. Raises SettingsError."""
    tls = Tls(settings.certificate) if settings.certificate else None
    admin_tls = None if tls is None else tls.beyond_loopback(settings.host)
    sink = sink_of(settings)
    listener = bind(settings.host, settings.port, HOST, PORT)
    relay = Relay(settings, sink, admin_tls)
    handle_signals(relay.stop, tls)
    admin = url_of("http", listener, admin_tls)
    await relay.run(listener, lambda: ready("relay", {"admin": admin}))


if __name__ == "__main__":
    sys.exit(main())
