"""``python -m console``: the live console, for any number of people."""

import asyncio
import os
import sys
from pathlib import Path

from server.imports import lean

with lean():
    from console.process import Console
    from console.settings import HOST, PORT, Settings, read_settings
    from server.http.listening import bind, url_of
    from server.log import end_with, log_form, log_to_stderr
    from server.process import handle_signals, ready
    from server.settings.environment import EXIT_CONFIG, SettingsError
    from server.tls.certificate import Tls


def main() -> int:
    status = 0
    try:
        log_to_stderr(log_form(os.environ))
        settings = read_settings(os.environ)
        with asyncio.Runner() as runner:
            runner.run(_serve(settings))
    except* SettingsError as group:
        status = end_with(EXIT_CONFIG, _first(group))
    return status


def _first(group: BaseExceptionGroup[SettingsError]) -> Exception:
    """Every shard's follower may have met the same."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, SettingsError)
    return error


async def _serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. SIGHUP: a renewed certificate is taken. Raises SettingsError."""
    tls = Tls(settings.certificate) if settings.certificate else None
    listener = bind(settings.host, settings.port, HOST, PORT)
    program = Path(sys.executable).with_name("stockwire")
    console = Console(settings, listener, tls, program if program.exists() else None)
    handle_signals(console.stop, tls)
    await console.run(lambda: ready("console", {"url": url_of("http", listener, tls)}))


if __name__ == "__main__":
    sys.exit(main())
