"""``python -m followers.exporter``: audits the log, and tells of the skus that sell fastest; one is enough."""

import asyncio
import os
import sys

from followers.exporter.process import Exporter
from followers.exporter.settings import HOST, PORT, Settings, read_settings
from server.http.listening import bind, url_of
from server.process import end_with, first_of, handle_signals, log_to_stderr, ready
from server.settings.environment import EXIT_CONFIG, SettingsError
from server.tls.certificate import Tls


def main() -> int:
    log_to_stderr()
    status = 0
    try:
        settings = read_settings(os.environ)
        with asyncio.Runner() as runner:
            runner.run(_serve(settings))
    except* SettingsError as group:
        status = end_with(EXIT_CONFIG, first_of(group))
    return status


async def _serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. SIGHUP: a renewed certificate is taken. Raises SettingsError."""
    tls = Tls(settings.certificate) if settings.certificate else None
    admin_tls = None if tls is None else tls.beyond_loopback(settings.host)
    listener = bind(settings.host, settings.port, HOST, PORT)
    exporter = Exporter(settings, admin_tls)
    handle_signals(exporter.stop, tls)
    admin = url_of("http", listener, admin_tls)
    await exporter.run(listener, lambda: ready("exporter", {"admin": admin}))


if __name__ == "__main__":
    sys.exit(main())
