"""``python -m ledger``: one ledger process."""

import asyncio
import logging
import os
import signal
import sys

import orjson
import uvloop

from ledger.process import LedgerProcess
from ledger.readiness import NoDatabase
from ledger.settings import ADMIN_HOST, ADMIN_PORT, HOST, PORT, Settings, read_settings
from server.http.listening import bind, url_of
from server.settings.environment import EXIT_CONFIG, SettingsError
from server.tls.certificate import Tls

EXIT_UNAVAILABLE = 69
"""EX_UNAVAILABLE of sysexits.h: the database did not come."""


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("alembic", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        settings = read_settings(os.environ)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except SettingsError as error:
        sys.stderr.write(f"stockwire: {error}\n")
        return EXIT_CONFIG
    except NoDatabase as error:
        sys.stderr.write(f"stockwire: {error}\n")
        return EXIT_UNAVAILABLE
    return 0


async def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT; then what was taken is finished. SIGHUP: a renewed certificate is taken.

    Raises SettingsError or NoDatabase.
    """
    tls = Tls(settings.certificate) if settings.certificate else None
    admin_tls = None if tls is None else tls.beyond_loopback(settings.admin_host)
    listener = bind(settings.host, settings.port, HOST, PORT)
    admin_listener = bind(settings.admin_host, settings.admin_port, ADMIN_HOST, ADMIN_PORT)
    ledger = LedgerProcess(settings, url_of("http", listener, tls), tls, admin_tls)
    # Before anything serves: a signal during the start stops it as well.
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ledger.stop)
    if tls is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, tls.renew)

    def announce() -> None:
        url, admin = url_of("http", listener, tls), url_of("http", admin_listener, admin_tls)
        ready = {"ready": True, "service": "ledger", "url": url, "admin": admin}
        sys.stdout.write(orjson.dumps(ready).decode() + "\n")
        sys.stdout.flush()

    await ledger.run(listener, admin_listener, announce)


if __name__ == "__main__":
    sys.exit(main())
