"""What the command says when a call fails, and the status that it ends with. Pure."""

import re
from dataclasses import asdict, is_dataclass
from datetime import datetime

from stockwire.cli import EXIT_CONFIG
from stockwire.cli.fields import moment_text
from stockwire.cli.output import OutputFailed
from stockwire.errors import ConfigurationError, Later, OutcomeUnknown, Refused, StockwireError

EXIT_FAILED = 1
EXIT_REFUSED = 3
"""Decided on the stock: not enough of it, or it has moved on. The same request gets the same answer, but where
a limit refused it: it may pass later."""
EXIT_OUTPUT = 74
"""EX_IOERR of sysexits.h: it was done, but what it prints could not be written."""
EXIT_LATER = 75
"""EX_TEMPFAIL of sysexits.h: the same command may succeed a little later."""


def status_of(error: StockwireError) -> int:
    match error:
        case ConfigurationError():
            return EXIT_CONFIG
        case OutputFailed():
            return EXIT_OUTPUT
        case Refused():
            return EXIT_REFUSED
        case Later():
            return EXIT_LATER
        case _:
            return EXIT_FAILED


def line_of(error: StockwireError) -> str:
    """One line. Where the outcome is not known it says how to find out without a second effect."""
    line = " ".join(str(error).split())
    if isinstance(error, OutcomeUnknown | OutputFailed) and error.key is not None:
        finds_out = "finds out" if isinstance(error, OutcomeUnknown) else "prints it, and books nothing more"
        return f"{line}: the same again with --idempotency-key {error.key} {finds_out}"
    return line


def fields_of(error: StockwireError) -> dict[str, object]:
    """``error``: the name of its class as words, such as ``out-of-stock``; then its message and its numbers."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    numbers = {field: value for field, value in vars(error).items() if field != "key" and not field.startswith("_")}
    key = {} if error.key is None else {"idempotency_key": error.key}
    return {"error": name, "message": str(error), **{field: _plain(value) for field, value in numbers.items()}, **key}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return moment_text(value)
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
