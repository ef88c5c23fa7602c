"""When a message that was not taken is sent again, what slows an endpoint, and what ends it. Pure."""

HOUR_S = 3_600
WAITS_S = (0, 5, 300, 1_800, *(hours * HOUR_S for hours in (2, 5, 10, 14, 20, 24)))
"""Before each attempt. The last one is repeated for as long as the endpoint is enabled."""
JITTER = 0.2
"""A wait is longer by up to this share: what failed together does not come back together."""
RETRY_AFTER_S_MAX = 24 * HOUR_S
SLOWING = (429, 502, 504)
"""Too Many Requests, Bad Gateway, Gateway Timeout: they speak of the whole endpoint."""
GONE = 410
DISABLED_AFTER_S = 5 * 24 * HOUR_S
APART_S_MIN = 12 * HOUR_S
"""A receiver that fails for minutes, and is not asked again for days, has not failed for days."""


def is_success(status: int | None) -> bool:
    """All but 2xx is a failure; redirects too, which nobody follows. None: there was no answer."""
    return status is not None and 200 <= status < 300


def next_wait_s(attempt: int, chance: float, retry_after_s: float | None = None) -> float:
    """Before attempt ``attempt``, counted from 0. ``chance``: from 0 to 1. ``retry_after_s``: of the answer before; it
    makes a wait longer and never shorter (RFC 9110, 10.2.3), and by no more than a day.
    """
    scheduled = WAITS_S[min(attempt, len(WAITS_S) - 1)]
    asked = min(max(retry_after_s or 0.0, 0.0), RETRY_AFTER_S_MAX)
    return max(scheduled, asked) * (1 + JITTER * chance)


def slows(status: int | None) -> bool:
    """Whether nothing else goes to this endpoint before the message that met this is due again."""
    return status in SLOWING


def disables(status: int | None, first_failed_s: float, last_failed_s: float, now_s: float) -> str | None:
    """Why the endpoint is disabled, if it is. ``first_failed_s``, ``last_failed_s``: since its last success."""
    if status == GONE:
        return f"answered {GONE}: gone"
    if now_s - first_failed_s >= DISABLED_AFTER_S and last_failed_s - first_failed_s >= APART_S_MIN:
        return f"failed for {int((now_s - first_failed_s) // (24 * HOUR_S))} days without one success"
    return None
