"""How a command of the server ends that cannot do what it is asked: in one line, with its exit status."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from server.log import end_with
from server.settings.environment import EXIT_CONFIG, SettingsError
from stockwire.cli.failure import EXIT_FAILED, line_of, status_of
from stockwire.errors import StockwireError


@contextmanager
def refusals(*more: type[Exception]) -> Iterator[None]:
    """``more``: errors whose message is that line, besides those of settings and of the client. A reader that has gone
    (`| head`) needs none: typer ends us. Raises typer.Exit."""
    try:
        yield
    except SettingsError as error:
        raise _ended(str(error), EXIT_CONFIG) from error
    except StockwireError as error:
        raise _ended(line_of(error), status_of(error)) from error
    except more as error:
        raise _ended(str(error), EXIT_FAILED) from error


def _ended(line: str, status: int) -> typer.Exit:
    return typer.Exit(end_with(status, line))
