"""``python -m console``: the live console, for any number of people."""

import sys
from pathlib import Path

from server.imports import lean

with lean():
    from console.process import Console
    from console.settings import HOST, PORT, Settings, read_settings
    from server.http.listening import bind, url_of
    from server.process import handle_signals, ready, run
    from server.tls.certificate import Tls


def main() -> int:
    return run(read_settings, _serve)


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
