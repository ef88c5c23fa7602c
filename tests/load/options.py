"""The options of a launch rehearsal, beside locust's own."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from typing import TypeVar

USERS_PEAK_DEFAULT = 150
"""What two cores carry that also run the system: more would measure the load generator's own queue."""
MINUTES_DEFAULT = 2.0
MINUTES_MAX = 60.0
"""Every acknowledged operation is held in memory until it was found in the log."""
SKUS_DEFAULT = 40
QUIET_S_DEFAULT = 10.0
"""Invariant I4 of docs/design.md: after this time every screen equals the ledger."""
LATE_S_DEFAULT = 1.0

N = TypeVar("N", int, float)


def add_options(parser: ArgumentParser) -> None:
    """Raises SystemExit, as argparse does, for a value out of bounds."""
    parser.add_argument(
        "--users-peak",
        type=_between(int, 4, 100_000),
        default=USERS_PEAK_DEFAULT,
        env_var="LAUNCH_USERS_PEAK",
        help="users while the doors are open and everybody wants the hot skus",
    )
    parser.add_argument(
        "--minutes",
        type=_between(float, 0.05, MINUTES_MAX),
        default=MINUTES_DEFAULT,
        env_var="LAUNCH_MINUTES",
        help="how long the launch takes, without the quiet time after it",
    )
    parser.add_argument(
        "--skus",
        type=_between(int, 2, 1_000),
        default=SKUS_DEFAULT,
        env_var="LAUNCH_SKUS",
        help="how many skus the run makes and sells",
    )
    parser.add_argument(
        "--quiet-s",
        type=_between(float, 0.0, 600.0),
        default=QUIET_S_DEFAULT,
        env_var="LAUNCH_QUIET_S",
        help="seconds after the last sale until every screen must equal the ledger",
    )
    parser.add_argument(
        "--late-s",
        type=_between(float, 0.0, 600.0),
        default=LATE_S_DEFAULT,
        env_var="LAUNCH_LATE_S",
        help="seconds after the end of an abandoned basket until every screen must show its units again",
    )
    parser.add_argument(
        "--hubs",
        default="",
        env_var="LAUNCH_HUBS",
        help="WebSocket URLs, with commas between, instead of the hubs that the ledger names",
    )
    parser.add_argument(
        "--location",
        default="",
        env_var="LAUNCH_LOCATION",
        help="name of the location that the run makes and sells from; it must be new (default: a random one)",
    )


def hubs_of(options: Namespace) -> list[str]:
    return [url.strip() for url in options.hubs.split(",") if url.strip()]


def _between(make: Callable[[str], N], low: N, high: N) -> Callable[[str], N]:
    def read(text: str) -> N:
        try:
            value = make(text)
        except ValueError:
            raise ArgumentTypeError(f"{text!r} is no number") from None
        if not low <= value <= high:
            raise ArgumentTypeError(f"{text} is not within {low} and {high}")
        return value

    return read
