"""``python -m followers``: sends webhooks; any number of these share the endpoints."""

import sys

from server.imports import lean

with lean():
    from followers.open_files import open_enough_files
    from followers.process import Channels
    from followers.settings import ADMIN_HOST, ADMIN_PORT, HOST, PORT, Settings, read_settings
    from server.http.listening import bind, url_of
    from server.process import handle_signals, ready, run
    from server.tls.certificate import Tls


def main() -> int:
    return run(read_settings, _serve)


async def _serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. SIGHUP: a renewed certificate is taken. Raises SettingsError."""
    open_enough_files()
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
