"""``stockwire import sales|items|stock``: a shop's own files. Only declared here, so that `--help` imports little."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stockwire.cli import http
from stockwire.cli.import_told import Told
from stockwire.cli.options import Json, Key, Url
from stockwire.cli.output import warn

EXIT_USAGE = 2


class _Nouns(TyperGroup):
    """Says in one line what became of ``stockwire import FILE``: which of three things a file holds is not guessed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and "--help" not in args:
            warn(f"say what the file holds: `stockwire import sales {' '.join(args)}`, or items, or stock")
            ctx.exit(EXIT_USAGE)
        return super().parse_args(ctx, args)


imports = typer.Typer(
    help="Book a shop's own files: sales, items or stock, as CSV (plain or gzip) or .xlsx.",
    no_args_is_help=True,
    cls=_Nouns,
)

File = Annotated[Path, typer.Argument(help="CSV, plain or gzip, or .xlsx.")]
Map = Annotated[str | None, typer.Option("--map", help="Which column is what: sku=SKU,quantity=Qty,...")]
ProfileName = Annotated[
    str | None, typer.Option("--profile", help="Name of a known form of file, or of one that was saved, or a file.")
]
SaveProfile = Annotated[
    str | None, typer.Option("--save-profile", help="Keep how this file was read, under a name or in a file.")
]
Separator = Annotated[
    str | None, typer.Option("--separator", help="One character, or comma, semicolon, tab, pipe. Default: found.")
]
Encoding = Annotated[str | None, typer.Option("--encoding", help="utf-8, utf-16, windows-1252 ... Default: found.")]
Dates = Annotated[str | None, typer.Option("--dates", help="Order of day, month, year: dmy, mdy, ymd. Default: found.")]
DecimalSign = Annotated[str | None, typer.Option("--decimal", help="Sign before decimals: . or , Default: found.")]
Timezone = Annotated[
    str | None, typer.Option("--timezone", help="Of times without an offset: Europe/Berlin, +01:00. Default: UTC.")
]
Worksheet = Annotated[str | None, typer.Option("--worksheet", help="Of an .xlsx that has several.")]
OnlyLocation = Annotated[
    str | None, typer.Option("--only-location", help="Of a file with several locations, by its word.")
]
KeepCodes = Annotated[
    bool, typer.Option("--keep-codes", help="Take skus as they stand: no mending, no question about leading zeros.")
]
Currency = Annotated[
    str | None, typer.Option("--currency", help="Of prices whose line names none (ISO 4217), such as GBP.")
]
RejectsFile = Annotated[
    Path | None, typer.Option("--rejects-file", help="Where to write rejected lines. Default: FILE.rejects.csv here.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what the first lines become and count the rest; book nothing.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if any line was not applied.")]
_LOCATION_HELP = "Where the stock is. Made if it does not exist."


@imports.command("sales")
def sales(
    file: File,
    location: Annotated[str, typer.Option("--location", help=_LOCATION_HELP)],
    opening: Annotated[
        str | None,
        typer.Option(
            "--opening",
            help="On hand before the first movement: none, needed (as much as the file needs), or a file of sku and "
            "on_hand. Default: none, but must be said where nothing has ever moved.",
        ),
    ] = None,
    receipts: Annotated[
        str | None,
        typer.Option("--receipts", help="unique: a number is one sale for ever; daily: they begin again each day."),
    ] = None,
    columns: Map = None,
    profile: ProfileName = None,
    save_profile: SaveProfile = None,
    separator: Separator = None,
    encoding: Encoding = None,
    dates: Dates = None,
    decimal: DecimalSign = None,
    timezone: Timezone = None,
    worksheet: Worksheet = None,
    only_location: OnlyLocation = None,
    keep_codes: KeepCodes = False,
    currency: Currency = None,
    rejects_file: RejectsFile = None,
    dry_run: DryRun = False,
    strict: Strict = False,
    json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Book sales: every invoice once, as one atomic operation, however often this is run.

    Exits with 0 when every line is accounted for, 1 if nothing was applied (with --strict: if any line was not), 2 on
    failure.
    """
    http.load()
    from stockwire.cli.import_sales import import_sales

    import_sales(_told("sales", locals()), location, opening)


@imports.command("items")
def items(
    file: File,
    columns: Map = None,
    profile: ProfileName = None,
    save_profile: SaveProfile = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: DecimalSign = None,
    worksheet: Worksheet = None,
    keep_codes: KeepCodes = False,
    currency: Currency = None,
    rejects_file: RejectsFile = None,
    dry_run: DryRun = False,
    strict: Strict = False,
    json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Put items: those that are new are made, those that differ changed. Moves no stock.

    What the file leaves out or leaves empty stays as it is known. Exits as `import sales`.
    """
    http.load()
    from stockwire.cli.import_items import import_items

    import_items(_told("items", locals()))


@imports.command("stock")
def stock(
    file: File,
    location: Annotated[
        str | None, typer.Option("--location", help=f"{_LOCATION_HELP} Default: as the file says.")
    ] = None,
    columns: Map = None,
    profile: ProfileName = None,
    save_profile: SaveProfile = None,
    separator: Separator = None,
    encoding: Encoding = None,
    decimal: DecimalSign = None,
    worksheet: Worksheet = None,
    only_location: OnlyLocation = None,
    keep_codes: KeepCodes = False,
    rejects_file: RejectsFile = None,
    dry_run: DryRun = False,
    strict: Strict = False,
    json: Json = False,
    url: Url = None,
    key: Key = None,
) -> None:
    """Count stock: what is on the shelf now. A level that stands as the file says is left alone.

    Exits as `import sales`.
    """
    http.load()
    from stockwire.cli.import_stock import import_stock

    import_stock(_told("stock", locals()), location)


def _told(kind: str, given: dict[str, Any]) -> Told:
    told: dict[str, Any] = {name: given.get(name) for name in Told.__dataclass_fields__ if name != "kind"}
    return Told(kind=kind, **told)
