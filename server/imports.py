"""Importing what a server is made of, without what its libraries look for and no server of ours uses."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NEVER_USED = ("httpx._main", "opentelemetry")
"""httpx's own command line, with click, rich and pygments; and what redis-py would measure itself with. Where they are
installed, they take a fifth of the time in which a hub starts. Who traces imports the latter later, for itself."""


@contextmanager
def lean() -> Iterator[None]:
    """Around the imports of a ``__main__``: to whoever looks for those it is as if they were not installed.

    Afterwards they are there again. The collector rests meanwhile (longer if it did before): no import leaves garbage.
    """
    hidden = [name for name in NEVER_USED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an import of it fails at once
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
        for name in hidden:
            del sys.modules[name]
