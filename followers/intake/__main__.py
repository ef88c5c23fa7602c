"""``python -m followers.intake``: applies commands from a queue; several share the work."""

import sys

import uvloop

from server.imports import lean

with lean():
    from followers.intake.process import Intake
    from followers.intake.settings import HOST, PORT, read_settings
    from followers.serving import serve


def main() -> int:
    return serve("intake", (HOST, PORT), read_settings, Intake, uvloop.new_event_loop)


if __name__ == "__main__":
    sys.exit(main())
