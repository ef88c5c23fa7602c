"""The command ``stockwire``. Needs the extra ``cli``; on a server machine it has the server's verbs as well."""

import signal
import sys
from collections.abc import Callable
from importlib.util import find_spec

EXIT_CONFIG = 78
"""EX_CONFIG of sysexits.h: something must be installed or set before this can work."""
EXIT_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Ends the process."""
    try:
        load()()
    except KeyboardInterrupt:  # also while the commands are still being imported
        sys.exit(EXIT_INTERRUPTED)


def load() -> Callable[[], None]:
    """Everything that must be imported before a command can run, and how it then runs. Ends the process without it."""
    missing = [name for name in ("typer", "rich") if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"stockwire: the command line needs {' and '.join(missing)}: pip install 'stockwire[cli]'\n")
        sys.exit(EXIT_CONFIG)
    from stockwire.cli.program import run

    return run
