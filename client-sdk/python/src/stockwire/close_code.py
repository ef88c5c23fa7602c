"""What a client does after each close code of protocol v1. A test holds it to ``wire/close_codes.py``."""

from enum import Enum

POLICY = 1008
BAD_TOKEN = 4001
FORBIDDEN = 4003
TOKEN_EXPIRED = 4104
EPOCH_CHANGED = 4202


class Return(Enum):
    """When a client may connect again."""

    NEVER = "never"
    PAUSED = "paused"
    NOW = "now"


def return_after(code: int | None) -> Return:
    """``None``: the connection was lost without a close frame.

    1008 and 4000-4099 do not come back unchanged, 4100-4199 after a pause, everything else now (jittered).
    """
    if code == POLICY or (code is not None and 4000 <= code <= 4099):
        return Return.NEVER
    if code is not None and 4100 <= code <= 4199:
        return Return.PAUSED
    return Return.NOW
