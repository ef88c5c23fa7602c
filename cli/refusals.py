"""How a command of the server ends that cannot do what it is asked: in one line, with its exit status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from server.log import end_with
from server.settings.environment import EXIT_CONFIG, SettingsError
from stockwire.cli.failure import EXIT_FAILED, EXIT_LATER, line_of, status_of
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


@contextmanager
def key_refusals() -> Iterator[None]:
    """Around what asks ledgers, or makes keys. Raises typer.Exit."""
    from httpx import HTTPError

    from cli.keys import KeyRefused

    with refusals(KeyRefused, HTTPError):
        yield


@contextmanager
def database_refusals() -> Iterator[None]:
    """Around what uses the database and prints nothing: an OSError in here is the network's, not that of a pipe.

    Raises typer.Exit.
    """
    from asyncpg import InterfaceError, PostgresError
    from sqlalchemy.exc import SQLAlchemyError

    from ledger.database.reason import reason_of
    from ledger.migrations.errors import MigrationRefused, MigrationStopped

    with key_refusals():
        try:
            yield
        except (MigrationStopped, MigrationRefused) as error:
            print(f"stockwire: {error}", file=sys.stderr)
            raise typer.Exit(EXIT_LATER if isinstance(error, MigrationStopped) else EXIT_FAILED) from error
        except (SQLAlchemyError, PostgresError, InterfaceError, OSError) as error:
            shown = f"the database cannot be used: {reason_of(error)} (`stockwire doctor` says more)"
            print(f"stockwire: {shown}", file=sys.stderr)
            raise typer.Exit(1) from error


def _ended(line: str, status: int) -> typer.Exit:
    return typer.Exit(end_with(status, line))
