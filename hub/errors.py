"""What goes wrong in a hub. ``Refused`` becomes an ``error`` message, ``Ended`` a ``disconnect`` and a close.

HubError
├── Refused             code: the request is wrong but can be read; the connection stays open
├── Ended               ending, after_ms: the connection must end
├── Full                levels_max: the hub holds as many levels as it may
├── Rewritten           the ledger's history is not the one this hub has read
├── LedgerUnavailable   no ledger answered in time
└── LedgerRefused       status: a ledger answered, and refused

What is answered as a problem document stands in ``server.problems``; a hub adds Crowded (connections_max).
"""

import random

from hub.endings import Ending
from server.problems import Later
from wire.close_codes import Return, return_after


class HubError(Exception):
    pass


class Refused(HubError):
    """Answers one request with ``error``. Codes: invalid, unknown-type, forbidden, not-found, limit, unauthorized.

    ``field``: what of the request is at fault; None if it is the hub, or its state.
    """

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.message = message


class Ended(HubError):
    """The connection ends, for one of the reasons in ``endings``.

    ``said``: what the reason leaves to be filled in. ``after_ms``: how long the client is asked to stay away, if it
    depends on more than the reason.
    """

    def __init__(self, ending: Ending, *, after_ms: int | None = None, **said: object) -> None:
        self.ending = ending
        self.code = ending.code
        self.reason = ending.reason.format(**said)
        self.after_ms = _away_ms(ending) if after_ms is None else after_ms
        super().__init__(self.reason)

    @property
    def reconnect(self) -> bool:
        return return_after(self.code) is not Return.NEVER


def _away_ms(ending: Ending) -> int:
    spread = ending.after_ms < ending.after_ms_max
    return random.randint(ending.after_ms, ending.after_ms_max) if spread else ending.after_ms


class Full(HubError):
    def __init__(self, levels_max: int) -> None:
        super().__init__(f"this hub holds {levels_max} levels and may not hold more")
        self.levels_max = levels_max


class Rewritten(HubError):
    """Another epoch, or a head below one already seen: what the hub holds is no longer true."""


class LedgerUnavailable(HubError):
    """Nothing is known about the request's effect; all requests of a hub are reads and may be repeated."""


class LedgerRefused(HubError):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"the ledger answered {status}: {detail}")
        self.status = status


class Crowded(Later):
    """``holder``: an owner or an address, which has as many connections as it may."""

    type = "crowded"

    def __init__(self, holder: str, connections_max: int, retry_after_s: int = 1) -> None:
        super().__init__(
            f"this {holder} has {connections_max} connections to this hub and may not have more",
            retry_after_s,
            connections_max=connections_max,
        )
