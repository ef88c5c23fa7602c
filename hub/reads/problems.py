"""What goes wrong in a hub, as its read port says it. Pure."""

from hub.errors import HubError, LedgerUnavailable, Refused
from server.problems import Invalid, Overloaded, Problem, Unavailable

ANSWERED = (
    "invalid",
    "unauthorized",
    "forbidden",
    "not-found",
    "too-large",
    "unsupported-encoding",
    "misdirected",
    "rate-limited",
    "crowded",
    "overloaded",
    "unavailable",
)
"""The types of all problems that a read port may answer."""


def problem_of(error: HubError) -> Problem:
    """Scopes are checked before anything is subscribed to, so what is left is a hub that is full: ask again."""
    if isinstance(error, Refused) and error.field is not None:  # over a limit, whichever hub it goes to
        return Invalid(error.field, error.message.removeprefix(f"{error.field}: "))
    if isinstance(error, LedgerUnavailable):
        return Unavailable("the ledger cannot be reached")
    return Overloaded(str(error))
