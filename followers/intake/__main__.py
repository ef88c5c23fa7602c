"""``python -m followers.intake``: applies commands from a queue; several share the work."""

import asyncio
import os
import sys

from server.imports import lean

with lean():
    from followers.intake.process import Intake
    from followers.intake.settings import HOST, PORT, Settings, read_settings
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
    intake = Intake(settings, admin_tls)
    handle_signals(intake.stop, tls)
    admin = url_of("http", listener, admin_tls)
    await intake.run(listener, lambda: ready("intake", {"admin": admin}))


if __name__ == "__main__":
    sys.exit(main())
