"""``python -m followers``: sends webhooks; any number of these share the endpoints."""

import asyncio
import os
import sys

from server.imports import lean

with lean():
    from followers.open_files import open_enough_files
    from followers.process import Channels
    from followers.settings import ADMIN_HOST, ADMIN_PORT, HOST, PORT, Settings, read_settings
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
        open_enough_files()
        with asyncio.Runner() as runner:
            runner.run(_serve(settings))
    except* SettingsError as group:
        status = end_with(EXIT_CONFIG, first_of(group))
    return status


async def _serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. SIGHUP: a renewed certificate is taken. Raises SettingsError."""
    tls = Tls(settings.certificate) if settings.certificate else None
    admin_tls = None if tls is None else tls.beyond_loopback(settings.admin_host)
    listener = bind(settings.host, settings.port, HOST, PORT)
    admin = bind(settings.admin_host, settings.admin_port, ADMIN_HOST, ADMIN_PORT)
    channels = Channels(settings, tls, admin_tls)
    handle_signals(channels.stop, tls)
    addresses = {"url": url_of("http", listener, tls), "admin": url_of("http", admin, admin_tls)}
    await channels.run(listener, admin, lambda: ready("channels", addresses))


if __name__ == "__main__":
    sys.exit(main())
