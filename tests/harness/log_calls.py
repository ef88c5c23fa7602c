"""Every call of a logger in our own code: what it says, where, and with what."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.harness.source import ROOT, SOURCES, parsed

LOGGERS = {"log", "logger", "_log"}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@dataclass(frozen=True, slots=True)
class LogCall:
    """``message``: None where it is no text that stands there. ``arguments``: as written, of its fields."""

    path: Path
    line: int
    level: str
    message: str | None
    arguments: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def log_calls() -> Iterator[LogCall]:
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and (level := _level_of(node.func)):
                yield _call(path, node, level)


def _call(path: Path, node: ast.Call, level: str) -> LogCall:
    message, *arguments = node.args
    said = message.value if isinstance(message, ast.Constant) and isinstance(message.value, str) else None
    options = tuple(str(option.arg) for option in node.keywords)
    return LogCall(path, node.lineno, level, said, tuple(map(ast.unparse, arguments)), options)


def _level_of(function: ast.expr) -> str | None:
    """Of ``log.warning``, or of ``logging.getLogger(...).warning``; any other way to log is none, and is not had."""
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS | {"log", "fatal", "warn"}:
        return None
    owner = ast.unparse(function.value)
    return function.attr if owner in LOGGERS or owner.startswith("logging") else None
