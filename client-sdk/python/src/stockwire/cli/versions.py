"""``stockwire --version``: of the client and, where it is installed, of the server."""

import importlib.metadata

from stockwire.cli.output import say

DISTRIBUTIONS = ("stockwire", "stockwire-server")


def show() -> None:
    for name in DISTRIBUTIONS:
        try:
            say(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
