"""Programs whose clock is off, by libfaketime (Debian's package faketime); what counts seconds on is left alone."""

import os
from pathlib import Path

import pytest

FAKETIME = "*/faketime/libfaketime.so.1"
"""In one of the folders of /usr/lib, by the machine's architecture."""


def faketime() -> Path | None:
    return next(Path("/usr/lib").glob(FAKETIME), None)


def moved_clock(off: str) -> dict[str, str]:
    """Variables for a program whose clock is ``off``, such as ``+2h``.

    Skips the test where there is no libfaketime, or fails it where STOCKWIRE_REQUIRE_FAULTS says so.
    """
    library = faketime()
    if library is None:
        reason = "no clock can be moved here: install libfaketime (Debian: apt-get install faketime)"
        if os.environ.get("STOCKWIRE_REQUIRE_FAULTS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return {"LD_PRELOAD": str(library), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
