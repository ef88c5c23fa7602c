"""Where everything goes that the command prints: one layer below `print`, `typer.echo` and rich alike.

What cannot be written is said in one line, and its status is 74 (EX_IOERR of sysexits.h): a full disk behind
``> file.json`` must not look as if nothing had been booked. A reader that has gone (`| head`) ends the command without
a word. Text that the encoding of stdout does not have is written as Python writes it (``Gr\\xfcn``), JSON with its own
escapes (``\\u00fc``): never as a question mark, which would be another name.
"""

import errno
import io
import json as python_json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import orjson

from stockwire.errors import StockwireError

_READER_GONE = (errno.EPIPE, errno.ESHUTDOWN)


class OutputFailed(StockwireError):
    """``reason``: the system's word. ``key``: of what was booked before it could be printed."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the output cannot be written ({reason})")
        self.reason = reason
        self._done: str | None = None

    def __str__(self) -> str:
        return super().__str__() + (f": {self._done}" if self._done else "")

    def after(self, done: str, key: str | None) -> None:
        self._done, self.key = done, key


def take_over() -> None:
    """From now on stdout raises OutputFailed and stderr fails silently: there is nobody left to tell."""
    sys.stdout = _stream(sys.stdout, 1, _Checked)
    sys.stderr = _stream(sys.stderr, 2, _Silent)


def json_text(fields: Mapping[str, Any], stream: TextIO) -> str:
    """One line, in characters that ``stream`` has. A file's name that is no UTF-8 stands in it as Python has it."""
    try:
        text = orjson.dumps(fields).decode()
        text.encode(stream.encoding or "ascii")
    except (TypeError, UnicodeEncodeError):  # TypeError: half of a surrogate pair, such as a byte of a file's name
        return python_json.dumps(fields, separators=(",", ":"))
    return text


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(fields: Mapping[str, Any]) -> None:
    say(json_text(fields, sys.stdout))


def warn(text: str) -> None:
    _write_error(f"stockwire: {text}")


def warn_json(fields: Mapping[str, Any]) -> None:
    _write_error(json_text(fields, sys.stderr))


def _write_error(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def after(done: str, key: str | None = None) -> Generator[None]:
    """Around printing what cannot be undone: should the output fail, ``done`` says what to do, ``key`` which it was."""
    try:
        yield
    except OutputFailed as error:
        error.after(done, key)
        raise


class _Checked(io.FileIO):
    """Fails once: what is still in a buffer then is let go, or Python would fail again at its end."""

    _failed = False

    def write(self, data: Any, /) -> int:
        if self._failed:
            return len(data)
        try:
            return super().write(data)
        except OSError as error:
            self._failed = True
            if error.errno in _READER_GONE:
                raise
            raise OutputFailed(error.strerror or type(error).__name__) from error


class _Silent(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


class _Closed(io.RawIOBase):
    """In place of a stream that whoever started us has closed (``>&-``). Fails once, as `_Checked`."""

    _failed = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        if self._failed:
            return len(data)
        self._failed = True
        raise OutputFailed("it is closed")


def _stream(stream: TextIO | None, number: int, kind: type[_Checked | _Silent]) -> TextIO:
    if stream is None:
        return _text(_Closed() if kind is _Checked else io.BytesIO(), "utf-8")
    if not _is_open_as(stream, number):
        return stream  # whoever runs us inside another program has put it there
    stream.flush()
    return _text(kind(number, "wb", closefd=False), stream.encoding or "utf-8")


def _is_open_as(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except (OSError, ValueError):
        return False


def _text(raw: Any, encoding: str) -> TextIO:
    buffered = raw if isinstance(raw, io.BytesIO) else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffered, encoding=encoding, errors="backslashreplace", line_buffering=True)
