"""Which column of a header is which field: as told, as a profile says, or as a profile that the header fits. Pure."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.options import ReadOptions
from stockwire.importing.profile import FIELDS, REQUIRED, Profile, for_kind
from stockwire.importing.shops import NOT_FOR_IMPORT

COLUMNS_SHOWN_MAX, NAME_SHOWN_MAX = 40, 40


@dataclass(frozen=True, slots=True)
class Columns:
    """``at``: field to position. ``names``: field to the column as the file names it.

    ``places``: of a file with a column of stock for each location, the position and the location of each.
    """

    at: Mapping[str, int]
    names: Mapping[str, str]
    places: tuple[tuple[int, str], ...]
    profile: Profile
    recognised: bool


def parse_map(text: str) -> dict[str, str]:
    """``sku=SKU,quantity=Qty`` as field to column; quoted as CSV where a name holds a comma. Raises UnreadableFile."""
    columns: dict[str, str] = {}
    try:
        parts = next(csv.reader([text], strict=True), list[str]())
    except csv.Error as error:
        raise UnreadableFile(f"--map {text!r}: {error}") from None
    for part in parts or [""]:
        name, equals, column = part.partition("=")
        name, column = name.strip(), column.strip()
        if not name or not equals or not column:
            raise UnreadableFile(f'--map {part!r} is no FIELD=COLUMN; a name with a comma is written "FIELD=A, B"')
        if name in columns:
            raise UnreadableFile(f"--map names {name} twice")
        columns[name] = column
    return columns


def fit(header: Sequence[str], kind: str, options: ReadOptions, profiles: Iterable[Profile]) -> Columns | None:
    """None if the header does not name what is required. Raises UnreadableFile for a wrong map or profile."""
    if options.profile is not None:
        return _fitted(header, _mapped(for_kind(options.profile, kind), options, kind), recognised=False)
    for profile in profiles:
        if profile.kind == kind and all(find(header, mark) for mark in profile.marks):
            columns = _fitted(header, _mapped(profile, options, kind), recognised=True)
            if columns is not None:
                return columns
    return None


def check_header(header: Sequence[str]) -> None:
    """The same name twice would let a file be read in two ways. Raises UnreadableFile."""
    seen: dict[str, int] = {}
    for position, name in enumerate(header):
        key = _key(name)
        if key and key in seen:
            raise UnreadableFile(
                f"the column {_short(name)!r} is there twice, as column {seen[key] + 1} and as column {position + 1}: "
                "rename one of them"
            )
        seen[key] = position


def no_columns(header: Sequence[str], kind: str, options: ReadOptions) -> UnreadableFile:
    """What to say of a first line that names nothing known."""
    for marks, remedy in NOT_FOR_IMPORT.items():
        if all(find(header, mark) for mark in marks):
            return UnreadableFile(remedy)
    shown = ", ".join(_short(name) for name in header[:COLUMNS_SHOWN_MAX] if name.strip()) or "none"
    told = {name: column for name, column in options.columns.items() if not find(header, column)}
    if told:
        name, column = next(iter(told.items()))
        return UnreadableFile(f"--map {name}={column}: the first line has no such column, but {shown}")
    if options.profile is not None:
        wanted = [name for name in REQUIRED[kind] if not _found(header, options.profile.columns.get(name, ()))]
        named = "; ".join(f"{name}: {' or '.join(options.profile.columns.get(name, ('?',)))}" for name in wanted)
        return UnreadableFile(
            f"the first line does not fit the profile {options.profile.name} ({named}), but has {shown}"
        )
    missing = [name for name in REQUIRED[kind] if name not in options.columns]
    example = ",".join(f"{name}=COLUMN" for name in missing or REQUIRED[kind])
    return UnreadableFile(
        f"the first line names no columns that are known for {kind}; it has {shown}. "
        f"Say which is which: --map {example}"
    )


def find(header: Sequence[str], name: str) -> list[int]:
    """Where a column of this name stands; letters of any case, spaces of any number. All of them for ``NAME*``."""
    if name.endswith("*"):
        start = _key(name[:-1])
        return [position for position, one in enumerate(header) if _key(one).startswith(start)]
    return [position for position, one in enumerate(header) if _key(one) == _key(name)][:1]


def _fitted(header: Sequence[str], profile: Profile, *, recognised: bool) -> Columns | None:
    at: dict[str, int] = {}
    places: tuple[tuple[int, str], ...] = ()
    for name, alternatives in profile.columns.items():
        alternative = _found(header, alternatives)
        if alternative is None:
            continue
        positions = find(header, alternative)
        if name == "attribute.*":
            at |= {f"attribute.{header[one].strip()[len(alternative) - 1 :]}": one for one in positions}
            continue
        at[name] = positions[0]
        if alternative.endswith("*"):
            places = tuple((one, " ".join(header[one].split())[len(alternative) - 1 :].strip()) for one in positions)
    if any(name not in at for name in REQUIRED[profile.kind]):
        return None
    return Columns(at, {name: header[one].strip() for name, one in at.items()}, places, profile, recognised)


def _mapped(profile: Profile, options: ReadOptions, kind: str) -> Profile:
    """The profile with what the user said of single columns in place of what it says itself."""
    if not options.columns:
        return profile
    for name in options.columns:
        if name.partition(".")[0] not in FIELDS[kind] or name == "attribute":
            raise UnreadableFile(f"--map: {name!r} is no field of {kind}: {', '.join(FIELDS[kind])}")
    told = {name: (column,) for name, column in options.columns.items()}
    return replace(profile, columns={**profile.columns, **told})


def _found(header: Sequence[str], alternatives: Iterable[str]) -> str | None:
    return next((one for one in alternatives if find(header, one)), None)


def _short(name: str) -> str:
    name = name.strip()
    return name if len(name) <= NAME_SHOWN_MAX else f"{name[:NAME_SHOWN_MAX]}..."


def _key(name: str) -> str:
    return "".join(name.split()).casefold()
