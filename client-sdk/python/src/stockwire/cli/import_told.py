"""What was told to a command of `stockwire import`, as it was typed."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Told:
    """Common to all three. None and empty: not told."""

    kind: str
    file: Path
    columns: str | None
    profile: str | None
    save_profile: str | None
    separator: str | None
    encoding: str | None
    dates: str | None
    decimal: str | None
    timezone: str | None
    worksheet: str | None
    only_location: str | None
    receipts: str | None
    keep_codes: bool
    currency: str | None
    rejects_file: Path | None
    dry_run: bool
    strict: bool
    json: bool
    url: str | None
    key: str | None
