"""``stockwire stock history``: the audit trail of one level, printed while it is being fetched."""

from typing import Annotated

import typer

from stockwire.cli.columns import Column, Columns, terminal_width
from stockwire.cli.fields import event_fields
from stockwire.cli.numbers import whole
from stockwire.cli.options import Json, Key, LocationArgument, SkuArgument, Url, client_of, failures
from stockwire.cli.output import say, say_json
from stockwire.operation import Event

HISTORY = (
    Column("version", 7, right=True),
    Column("committed", 19),
    Column("kind", 10),
    Column("change", 7, right=True),
    Column("on hand", 7, right=True),
    Column("by, reference", 0),
)


def history(
    sku: SkuArgument,
    location: LocationArgument,
    limit: Annotated[int, typer.Option("--limit", parser=whole(1), help="The newest so many events.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Every event since the first.")] = False,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """The audit trail of a level, the newest event last. With --json one object to a line."""
    columns = Columns(HISTORY, terminal_width())
    with failures(json), client_of(url, key) as client:
        newest = client.stock.get(sku, location).version  # what is booked from now on is not waited for
        after = 0 if everything else max(0, newest - limit)
        if not json:
            say(columns.heading() if newest else f"{sku} at {location} has never moved.")
        for event in client.stock.history(sku, location, after_version=after):
            if event.version > newest:
                break
            say_json(event_fields(event)) if json else say(columns.line(event_cells(event)))


def event_cells(event: Event) -> list[str]:
    """As HISTORY names them; the time is the terminal's own."""
    held = f"held {event.reserved_delta:+d}" if event.reserved_delta else ""
    return [
        str(event.version),
        f"{event.committed_at.astimezone():%Y-%m-%d %H:%M:%S}",
        event.kind,
        f"{event.on_hand_delta:+d}",
        str(event.on_hand),
        ", ".join(word for word in (held, event.actor, event.reference, event.reason) if word),
    ]
