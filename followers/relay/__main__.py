"""``python -m followers.relay``: writes every change to a broker; any number of them may run."""

import sys

import uvloop

from server.imports import lean

with lean():
    from followers.relay.heap import share_arenas
    from followers.relay.process import Relay
    from followers.relay.settings import HOST, PORT, Settings, read_settings
    from followers.relay.sinks import sink_of
    from followers.serving import serve
    from server.tls.certificate import Tls


def main() -> int:
    share_arenas()
    return serve("relay", (HOST, PORT), read_settings, _relay, uvloop.new_event_loop)


def _relay(settings: Settings, tls: Tls | None) -> Relay:
    return Relay(settings, sink_of(settings), tls)


if __name__ == "__main__":
    sys.exit(main())
