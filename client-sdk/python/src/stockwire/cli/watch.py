"""``stockwire watch``: levels as they change, as a live table or as JSON lines; what the public sees; thresholds."""

from typing import TYPE_CHECKING, Annotated

import typer

from stockwire.cli import http
from stockwire.cli.completion import complete_location, complete_sku
from stockwire.cli.numbers import whole
from stockwire.cli.options import Json, Key, Url, complete, failures

if TYPE_CHECKING:
    from stockwire.threshold import AtLeast, AtMost


def watch(
    location: Annotated[str, typer.Argument(help="Name of the location; * for all.", autocompletion=complete_location)],
    skus: Annotated[
        list[str] | None,
        typer.Argument(help="Only these skus. Default: the whole location.", autocompletion=complete_sku),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="What the public sees, instead of numbers.")] = False,
    at_most: Annotated[
        int | None,
        typer.Option("--at-most", parser=whole(), help="Only when so many units or fewer are available, and when not."),
    ] = None,
    at_least: Annotated[
        int | None,
        typer.Option("--at-least", parser=whole(), help="Only when so many units or more are available, and when not."),
    ] = None,
    until: Annotated[
        int | None,
        typer.Option(
            "--until", parser=whole(), help="Units at which --at-most or --at-least ends. Default: the next one."
        ),
    ] = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Show stock as it changes. With --json (or into a pipe) one line for each event."""
    with failures(json):
        when = _when(at_most, at_least, until)
        http.load()
        from stockwire.cli.watching import Watched, follow

        complete(follow(Watched(location, skus or None, public, when), url, key, json=json))


def _when(at_most: int | None, at_least: int | None, until: int | None) -> "AtMost | AtLeast | None":
    """Raises Invalid."""
    from stockwire.threshold import AtLeast, AtMost

    if at_most is not None and at_least is not None:
        raise typer.BadParameter("give either --at-most or --at-least")
    if at_most is not None:
        return AtMost(at_most, until)
    if at_least is not None:
        return AtLeast(at_least, until)
    if until is not None:
        raise typer.BadParameter("--until needs --at-most or --at-least")
    return None
