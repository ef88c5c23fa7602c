"""What a process writes to standard error: lines of text, or one JSON object a line (``STOCKWIRE_LOG``).

A message of ours has one form: words that never change, then fields, ``"following the ledger epoch=%s shards=%d"``. So
text and object come from the same call: the words are the event's name (``following_the_ledger``), the arguments its
fields. docs/reference/logs.md has every one, and a test holds the page to the calls.
"""

import logging
import math
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import orjson

from server.settings.environment import Environment, SettingsError
from server.tracing.tracing import CURRENT

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
CHATTY = ("alembic", "httpx", "httpcore", "websockets")
"""Libraries that log each request or connection."""
SETTING = "STOCKWIRE_LOG"
TEXT, JSON = "text", "json"
OURS = frozenset({"server", "ledger", "hub", "console", "followers", "cli", "stockwire"})
"""Whose messages have that form: the first part of a logger's name."""
MESSAGE = re.compile(r"[a-z][a-z0-9 ,]*[a-z0-9]((?: [a-z][a-z0-9_]*=%(?:[srdg]|\.\d+f))*)")
_FIELD = re.compile(r"([a-z][a-z0-9_]*)=(%\S+)")
OTHER = "other"
"""The event of a library's message, which is its only field."""
LINE_BYTES_MAX = 16_384
"""containerd and Docker split a longer line (max_container_log_line_size is 16384), and neither half is JSON."""
FIELD_CHARACTERS_MAX = 1_000
STACK_CHARACTERS_MAX = 8_000
_WHOLE_MAX = 2**63
_FITTED = (1, 8)
"""By how much every text is cut shorter. The second is for what takes more room in JSON, up to six bytes for each
control character: then even `FIELDS_MAX` fields of these fit."""
FIELDS_MAX = 6
SECRET_CHARACTERS_MAX = 2_000
"""Beyond where a text is cut so much more is looked at: what is cut off may have been the end of a secret."""
_SECRETS = re.compile(
    r"(?P<key>\bsw_[A-Za-z0-9]{12}_)[\w-]+"
    r"|(?P<sealed>\bwhsec_)[\w+/=-]+"
    r"|(?P<token>\beyJ[\w-]{0,400}\.)[\w-]+\.[\w-]+"
    r"|(?P<user>\b[a-z][a-z0-9+.-]{0,20}://[^\s/@:]*:)[^\s/@]+(?=@)"
)
"""API keys, secrets of webhooks, signed tokens, passwords in URLs. No call of ours is given one; but what a library
says of an error of its own is not in our hands."""

log = logging.getLogger(__name__)


def log_form(variables: Mapping[str, str]) -> str:
    """`TEXT` unless it is set. Raises SettingsError."""
    form = Environment(variables).text(SETTING, TEXT)
    if form not in (TEXT, JSON):
        raise SettingsError(f"{SETTING}={form!r} is neither: set it to {TEXT} or {JSON}")
    return form


def log_to_stderr(form: str = TEXT) -> None:
    """From now on, once for a process. With `JSON` every line there is an object: warnings and errors that nobody
    catches are logged too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == JSON else TextLines(LOG_FORMAT))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    if form == JSON:
        _log_what_nobody_catches()


def end_with(status: int, reason: object) -> int:
    """``status``, after one line that says why: for people, unless the log is JSON."""
    if any(isinstance(handler.formatter, JsonLines) for handler in logging.getLogger().handlers):
        log.critical("the process ends status=%d reason=%r", status, str(reason))
    else:
        sys.stderr.write(f"stockwire: {reason}\n")
    return status


class TextLines(logging.Formatter):
    """Lines for people; a stack follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonLines(logging.Formatter):
    """A record as one JSON object: ``time``, ``level``, ``logger``, ``event``, ``fields``; ``trace_id`` and
    ``exception`` if there are any.

    Never raises, has no line feed in it and at most ``LINE_BYTES_MAX`` bytes: longer texts are cut, and say so.
    """

    def format(self, record: logging.LogRecord) -> str:
        for parts in _FITTED:
            line = orjson.dumps(_object_of(record, parts))
            if len(line) <= LINE_BYTES_MAX:
                return line.decode()
        return orjson.dumps({**_head(record), "event": OTHER, "fields": {"bytes": len(line)}}).decode()


def _object_of(record: logging.LogRecord, parts: int) -> dict[str, Any]:
    event, fields = event_of(record)
    most = FIELD_CHARACTERS_MAX // parts
    told = {**_head(record), "event": event, "fields": {name: _fit(value, most) for name, value in fields.items()}}
    if (span := CURRENT.get()) is not None:
        told["trace_id"] = span.trace.trace_id
    if record.exc_info and record.exc_info[1] is not None:
        told["exception"] = _exception(record.exc_info[1], parts)
    return told


def _head(record: logging.LogRecord) -> dict[str, str]:
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "time": at,
        "level": record.levelname.lower(),
        "logger": _fit(record.name, FIELD_CHARACTERS_MAX // _FITTED[-1]),
    }


def event_of(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Name and fields, uncut. What is no message of ours is `OTHER`, with its ``message``."""
    arguments = record.args if isinstance(record.args, tuple) else (record.args,)
    if record.name.partition(".")[0] in OURS and (named := named_event(record.msg)):
        event, fields = named
        if len(fields) == len(arguments):
            pairs = zip(fields.items(), arguments, strict=True)
            return event, {name: _value(form, value) for (name, form), value in pairs}
    return OTHER, {"message": _shown(record.getMessage)}


def named_event(message: object) -> tuple[str, dict[str, str]] | None:
    """The event's name, and of each field how it is shown as text; None if ``message`` has another form than ours."""
    match = MESSAGE.fullmatch(message) if isinstance(message, str) else None
    if match is None:
        return None
    words = match[0].removesuffix(match[1])
    return re.sub(r"[ ,]+", "_", words), dict(_FIELD.findall(match[1]))


def _value(form: str, value: object) -> Any:
    """Numbers stay numbers, as far as JSON has them; a text is not quoted another time."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -_WHOLE_MAX <= value < _WHOLE_MAX:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return value if isinstance(value, str) else _shown(lambda: form % (value,))


def _exception(error: BaseException, parts: int) -> dict[str, str]:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    stack = _shown(lambda: "".join(traceback.format_exception(error)))
    most = STACK_CHARACTERS_MAX // parts
    if len(stack) > most:  # its end says where it happened
        stack = f"({len(stack)} characters) …{_clean(stack[-most - SECRET_CHARACTERS_MAX :])[-most:]}"
    return {
        "type": _fit(name, FIELD_CHARACTERS_MAX // parts),
        "message": _fit(_shown(lambda: str(error)), FIELD_CHARACTERS_MAX // parts),
        "stack": _clean(stack),
    }


def _shown(show: Callable[[], str]) -> str:
    """What is logged may be anybody's object: one that cannot be shown costs its own text and not the line."""
    try:
        return show()
    except Exception as error:  # noqa: BLE001  whatever its __str__ raises
        return f"(cannot be shown: {type(error).__name__})"


def _fit(value: Any, most: int) -> Any:
    if not isinstance(value, str):
        return value
    shown = _clean(value[: most + SECRET_CHARACTERS_MAX])[:most]
    return shown if len(value) <= most else f"{shown}… ({len(value)} characters)"


def _clean(text: str) -> str:
    """Without secrets, and without halves of surrogate pairs, which no UTF-8 has."""
    return without_secrets(text).encode("utf-8", "backslashreplace").decode()


def without_secrets(text: str) -> str:
    return _SECRETS.sub(lambda match: f"{match[match.lastgroup or 0]}…", text)


def _log_what_nobody_catches() -> None:
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: log.error(
        "a thread has failed thread=%s", told.thread and told.thread.name, exc_info=told.exc_value
    )
    sys.unraisablehook = lambda told: log.error("an error could not be raised", exc_info=told.exc_value)


def _uncaught(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    log.critical("the process ends, nobody expected this error", exc_info=error)
