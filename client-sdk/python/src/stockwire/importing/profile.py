"""A profile: which columns of a file mean what. Built-in ones stand in `shops`; others are kept in TOML files."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from stockwire.importing.errors import UnreadableFile

FIELDS: Mapping[str, tuple[str, ...]] = {
    "sales": (
        *("number", "sku", "quantity", "at", "time", "timezone", "name", "price", "total", "currency"),
        *("location", "type", "status", "cancelled", "group"),
    ),
    "items": (
        *("sku", "name", "price", "currency", "type", "variant1", "variant2", "variant3", "group"),
        "attribute",
    ),
    "stock": ("sku", "on_hand", "location", "name", "type", "variant1", "variant2", "variant3", "group"),
}
"""``attribute.NAME`` is any number of columns."""
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "sales": ("number", "sku", "quantity", "at"),
    "items": ("sku", "name"),
    "stock": ("sku", "on_hand"),
}
_FILE_BYTES_MAX = 64 * 2**10
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Profile:
    """``columns``: of each field the names that its column may have; the first that the file has is taken.

    A name that ends with ``*`` means every column that begins so; what follows in its name is the location.

    - ``marks``: columns that a file must have besides, to be recognised as this one.
    - ``source``: the maker's public page of this export. ``unconfirmed``: columns that are not confirmed on a page of
      the maker; ``*`` means all.
    - ``negatives``: what a negative quantity is: ``return``, or ``write_off`` unless the number begins with C.
    - ``goods``: the texts of ``type`` that move stock; empty: all but ``left_out``. ``refunds``: those whose goods
      come back. ``left_out``: texts of ``type``, ``status`` or ``on_hand`` whose lines are left out. ``unclear``: those
      of ``status`` that say that goods came back, but not which. ``services``: skus that are no goods; one that ends
      with ``*`` means all that begin so.
    - ``carried``: fields that stand only in the first line of their number or group, and hold for the others.
    - ``plain``: texts of a variant that say nothing.
    - ``numbers``: ``unique``, ``daily`` (numbers begin again each day), or None: not known.
    """

    name: str
    kind: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    marks: tuple[str, ...] = ()
    source: str = ""
    unconfirmed: tuple[str, ...] = ()
    negatives: str = "return"
    goods: tuple[str, ...] = ()
    refunds: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    numbers: str | None = None
    separator: str | None = None
    encoding: str | None = None
    dates: str | None = None
    decimal: str | None = None
    timezone: str | None = None
    worksheet: str | None = None
    only_location: str | None = None


def save_profile(profile: Profile, name_or_file: str) -> Path:
    """As TOML, whole or not at all. A bare name stands among the user's own. Raises UnreadableFile."""
    path = place_of(name_or_file)
    profile = replace(profile, name=path.stem)
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(_toml(profile), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise UnreadableFile(f"the profile {path} cannot be written: {error.strerror}") from None
    return path


def load_profile(path: Path, kind: str) -> Profile:
    """Raises UnreadableFile."""
    try:
        with path.open("rb") as content:
            told = tomllib.loads(content.read(_FILE_BYTES_MAX).decode("utf-8"))
    except OSError as error:
        raise UnreadableFile(f"the profile {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UnreadableFile(f"the profile {path} is no TOML: {error}") from None
    try:
        profile = Profile(**{name: _value(name, value) for name, value in told.items()})
    except TypeError as error:
        raise UnreadableFile(f"the profile {path}: {str(error).removeprefix('Profile.__init__() ')}") from None
    for_kind(profile, kind)
    unknown = [name for name in profile.columns if name.partition(".")[0] not in FIELDS[kind]]
    if unknown:
        raise UnreadableFile(f"the profile {path}: {unknown[0]!r} is no field of {kind}: {', '.join(FIELDS[kind])}")
    return profile


def for_kind(profile: Profile, kind: str) -> Profile:
    """The profile, if it is one of this kind. Raises UnreadableFile."""
    if profile.kind != kind:
        raise UnreadableFile(f"the profile {profile.name} is for {profile.kind}, not for {kind}")
    return profile


def saved_profile(name_or_file: str) -> Path | None:
    """Where a profile of this name was saved, or the file itself; None if there is none."""
    path = place_of(name_or_file)
    return path if path.is_file() else None


def place_of(name_or_file: str) -> Path:
    """Where a profile of this name is saved, or the file itself."""
    if not _NAME.match(name_or_file) or name_or_file.endswith(".toml"):
        return Path(name_or_file)
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "stockwire" / "profiles" / f"{name_or_file}.toml"


def _value(name: str, value: Any) -> Any:
    """As the dataclass has it. Raises TypeError."""
    if name == "columns":
        if not isinstance(value, dict):
            raise TypeError("columns is no table")
        table = cast(dict[str, Any], value)
        return {key: _texts(f"columns.{key}", names) for key, names in table.items()}
    kinds = {one.name: one.type for one in fields(Profile)}
    if "tuple" in str(kinds.get(name, "")):
        return _texts(name, value)
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    texts = cast(list[object], value) if isinstance(value, list) else [None]
    if not all(isinstance(one, str) for one in texts):
        raise TypeError(f"{name} is neither a text nor a list of texts")
    return tuple(str(one) for one in texts)


def _toml(profile: Profile) -> str:
    """Only what differs from nothing said. JSON's strings and lists are TOML's as well."""
    lines: list[str] = []
    for one in fields(Profile):
        value = getattr(profile, one.name)
        if one.name != "columns" and (one.default is MISSING or value != one.default):
            lines.append(f"{one.name} = {_json(value)}")
    lines += ["", "[columns]"]
    lines += [
        f"{_json(key)} = {_json(names[0] if len(names) == 1 else names)}" for key, names in profile.columns.items()
    ]
    return "\n".join(lines) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
