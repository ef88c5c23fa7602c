"""``python -m ledger``: one ledger process."""

import sys

import uvloop

from server.imports import lean

with lean():
    from ledger.process import LedgerProcess
    from ledger.readiness import NoDatabase
    from ledger.settings import ADMIN_HOST, ADMIN_PORT, HOST, PORT, Settings, read_settings
    from server.http.listening import bind, url_of
    from server.log import end_with
    from server.process import handle_signals, ready, run
    from server.tls.certificate import Tls

EXIT_UNAVAILABLE = 69
"""EX_UNAVAILABLE of sysexits.h: the database did not come."""


def main() -> int:
    try:
        return run(read_settings, serve, uvloop.new_event_loop)
    except NoDatabase as error:
        return end_with(EXIT_UNAVAILABLE, error)


async def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT; then what was taken is finished. SIGHUP: a renewed certificate is taken.

    Raises SettingsError or NoDatabase.
    """
    tls = Tls(settings.certificate) if settings.certificate else None
    admin_tls = None if tls is None else tls.beyond_loopback(settings.admin_host)
    listener = bind(settings.host, settings.port, HOST, PORT)
    admin_listener = bind(settings.admin_host, settings.admin_port, ADMIN_HOST, ADMIN_PORT)
    ledger = LedgerProcess(settings, url_of("http", listener, tls), tls, admin_tls)
    handle_signals(ledger.stop, tls)
    addresses = {"url": url_of("http", listener, tls), "admin": url_of("http", admin_listener, admin_tls)}
    await ledger.run(listener, admin_listener, lambda: ready("ledger", addresses))


if __name__ == "__main__":
    sys.exit(main())
