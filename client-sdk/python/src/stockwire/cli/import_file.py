"""``stockwire import sales|items|stock``: a shop's own files. Only declared here, so that `--help` imports little."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stockwire.cli import http
from stockwire.cli.import_told import Told, takes
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

_LOCATION_HELP = "Where the stock is. Made if it does not exist."


@imports.command("sales")
@takes("sales")
def sales(
    told: Told,
    location: Annotated[str, typer.Option("--location", help=_LOCATION_HELP)],
    opening: Annotated[
        str | None,
        typer.Option(
            "--opening",
            help="On hand before the first movement: none, needed (as much as the file needs), or a file of sku and "
            "on_hand. Default: none, but must be said where nothing has ever moved.",
        ),
    ] = None,
) -> None:
    """Book sales: every invoice once, as one atomic operation, however often this is run.

    Exits with 0 when every line is accounted for, 1 if nothing was applied (with --strict: if any line was not), 2 on
    failure.
    """
    http.load()
    from stockwire.cli.import_sales import import_sales

    import_sales(told, location, opening)


@imports.command("items")
@takes("items", without=("receipts", "dates", "timezone", "only_location"))
def items(told: Told) -> None:
    """Put items: those that are new are made, those that differ changed. Moves no stock.

    What the file leaves out or leaves empty stays as it is known. Exits as `import sales`.
    """
    http.load()
    from stockwire.cli.import_items import import_items

    import_items(told)


@imports.command("stock")
@takes("stock", without=("receipts", "dates", "timezone", "currency"))
def stock(
    told: Told,
    location: Annotated[
        str | None, typer.Option("--location", help=f"{_LOCATION_HELP} Default: as the file says.")
    ] = None,
) -> None:
    """Count stock: what is on the shelf now. A level that stands as the file says is left alone.

    Exits as `import sales`.
    """
    http.load()
    from stockwire.cli.import_stock import import_stock

    import_stock(told, location)
