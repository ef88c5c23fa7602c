"""Plain words stay what they are: typer would import pydantic, a tenth of a second, to make a string of a string.

Where an installed typer does this in another way, nothing is changed, and it is only slower.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin

import typer


class Plain:
    """In place of typer's own conversion of one parameter. ``convert``: of one word."""

    def __init__(self, convert: Any) -> None:
        self._convert = convert

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if param.multiple or param.nargs == -1:
            return tuple(map(self._one, value or ()))
        return None if value is None else self._one(value)

    def _one(self, value: Any) -> Any:
        try:
            return self._convert(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None


def convert(command: Any) -> None:
    """All parameters of ``command`` and of what stands below it."""
    for parameter in (*command.params, command.get_help_option(typer.Context(command))):
        known = getattr(parameter, "type_descriptor", None)
        conversion = None if known is None else _conversion(known.annotation, known.parameter_info)
        if conversion is not None and hasattr(parameter, "get_runtime_param"):
            parameter.get_runtime_param = partial(Plain, conversion)
    below: Sequence[Any] = list(getattr(command, "commands", {}).values())
    for child in below:
        convert(child)


def _conversion(annotation: Any, info: Any) -> Any:
    """None: typer's own."""
    if info.parser is not None:
        return info.parser
    inner = get_args(annotation)[0] if get_origin(annotation) is list else annotation
    if inner is Path and not (info.exists or info.resolve_path or info.allow_dash):
        return Path
    if inner is bool:
        return _flag
    return _text if inner is str else None


def _text(value: Any) -> str:
    """Bytes that are no UTF-8 cannot be sent to a ledger. The names of files may have them: those are a Path."""
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!r} is no UTF-8") from None
    return text


def _flag(value: Any) -> bool:
    """Of an option that is there or not: no word stands for it."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither true nor false")
