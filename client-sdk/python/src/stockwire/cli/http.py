"""Importing the HTTP library for a command, without what it looks for and no command needs."""

import importlib
import sys

NEVER_USED = ("httpx._main", "trio")
"""httpx's own command line, with click, rich and pygments, and another kind of event loop: where they are installed,
importing them takes longer than all the rest of `stockwire stock get`."""


def load() -> None:
    """Call it before the first import of a client. To httpx and httpcore it is as if these were not installed."""
    hidden = [name for name in NEVER_USED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an import of it fails at once
    try:
        importlib.import_module("httpcore")
        importlib.import_module("httpx")
    finally:
        for name in hidden:
            del sys.modules[name]
