"""``stockwire stock hold``, ``holds``, ``commit``, ``fulfil``, ``release`` and ``extend``: units kept for somebody."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from stockwire.cli.booked import AS_BEFORE, IdempotencyKey, Reference, book
from stockwire.cli.columns import Column, Columns, terminal_width
from stockwire.cli.completion import complete_location, complete_sku
from stockwire.cli.fields import reservation_fields
from stockwire.cli.held_lines import lines_of_hold, lines_to_hold, typed
from stockwire.cli.numbers import duration
from stockwire.cli.options import Json, Key, Url, client_of, failures
from stockwire.cli.output import say, say_json

if TYPE_CHECKING:
    from stockwire.reservation import Reservation, ReservationLine
    from stockwire.sync.reservations import Reservations

HOLDS = (Column("id", 36), Column("state", 9), Column("until", 10), Column("labels, lines", 0))
OPEN = "open"
"""Pending or committed."""
TTL_S_MAX = 10 * 365 * 86_400
"""Far beyond what any ledger allows: it says its own limit."""

Id = Annotated[str, typer.Argument(metavar="ID", help="Of the reservation, as it was printed.")]
Parts = Annotated[
    list[str] | None,
    typer.Argument(metavar="SKU@LOCATION[=N]", help="Only these lines; =N: only so many units. Default: all."),
]
Ttl = Annotated[
    int | None,
    typer.Option("--ttl", parser=duration(1, TTL_S_MAX), metavar="TIME", help="How long: 90s, 15m, 2h, 1d."),
]


def hold(
    lines: Annotated[
        list[str], typer.Argument(metavar="SKU@LOCATION[=N]", help="What to hold, 1 unit unless N is given.")
    ],
    ttl: Ttl = None,
    customer: Annotated[str | None, typer.Option("--customer", help="A label of who it is for.")] = None,
    reference: Reference = None,
    locations: Annotated[
        str | None,
        typer.Option("--from", metavar="LOCATION,...", help="For lines SKU[=N]: the first of these that has all."),
    ] = None,
    split: Annotated[bool, typer.Option("--split", help="With --from: from as many as it takes.")] = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Hold units until they are paid for: all lines or none. Prints the reservation's ID."""
    wanted = lines_to_hold(lines, locations, split)
    _change(
        lambda reservations, once: reservations.reserve(
            wanted, ttl_s=ttl, customer=customer, reference=reference, key=once
        ),
        idempotency_key,
        url,
        key,
        json,
    )


def commit(
    reservation: Id,
    lines: Parts = None,
    fulfil: Annotated[bool, typer.Option("--fulfil", help="The goods leave at once.")] = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """It was paid for: the units stay held, without an end."""
    parts = lines_of_hold(lines)
    _change(
        lambda reservations, once: reservations.commit(reservation, parts, fulfil=fulfil, key=once),
        idempotency_key,
        url,
        key,
        json,
    )


def fulfil(
    reservation: Id,
    lines: Parts = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """What was paid for leaves."""
    parts = lines_of_hold(lines)
    _change(
        lambda reservations, once: reservations.fulfil(reservation, parts, key=once),
        idempotency_key,
        url,
        key,
        json,
    )


def release(
    reservation: Id,
    lines: Parts = None,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Let go of what is held, paid for or not: it can be sold again."""
    parts = lines_of_hold(lines)
    _change(
        lambda reservations, once: reservations.cancel(reservation, parts, key=once),
        idempotency_key,
        url,
        key,
        json,
    )


def extend(
    reservation: Id,
    ttl: Annotated[
        int,
        typer.Argument(metavar="TIME", parser=duration(1, TTL_S_MAX), help="How long from now: 90s, 15m, 2h, 1d."),
    ],
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Keep what is held and not yet paid for."""
    _change(lambda reservations, once: reservations.extend(reservation, ttl, key=once), idempotency_key, url, key, json)


def holds(
    reservation: Annotated[str | None, typer.Argument(metavar="ID", help="Only this one, with its lines.")] = None,
    location: Annotated[
        str | None, typer.Option("--location", help="With a line there.", autocompletion=complete_location)
    ] = None,
    sku: Annotated[
        str | None,
        typer.Option("--sku", help="With --location: that hold units of it now.", autocompletion=complete_sku),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--state", help="pending, committed, fulfilled, cancelled, expired, or open (the default): the first two."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="In every state, those that ended too.")] = False,
    owner: Annotated[str | None, typer.Option("--owner", help="Whose key made them.")] = None,
    customer: Annotated[str | None, typer.Option("--customer", help="Who they are for.")] = None,
    reference: Annotated[str | None, typer.Option("--reference", help="As it was given when they were made.")] = None,
    older: Annotated[
        int | None,
        typer.Option("--older", parser=duration(0, TTL_S_MAX), metavar="TIME", help="Made so long ago, or longer."),
    ] = None,
    url: Url = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """What is held now, the oldest first. With --json one object to a line."""
    if everything and state is not None:
        raise typer.BadParameter("give either --state or --all")
    looked_for = (location, sku, state, owner, customer, reference, older)
    if reservation is not None and (everything or any(one is not None for one in looked_for)):
        raise typer.BadParameter("give either ID or what to look for")
    with failures(json), client_of(url, key) as client:
        if reservation is not None:
            found = client.reservations.get(reservation)
            say_json(reservation_fields(found)) if json else say(reservation_text(found))
            return
        columns = Columns(HOLDS, terminal_width())
        if not json:
            say(columns.heading())
        for one in client.reservations.list(
            location=location,
            sku=sku,
            state=None if everything else state or OPEN,
            owner=owner,
            customer=customer,
            reference=reference,
            older_than_s=older,
        ):
            say_json(reservation_fields(one)) if json else say(columns.line(hold_cells(one)))


def hold_cells(reservation: "Reservation") -> list[str]:
    """As HOLDS names them."""
    lines = " ".join(typed(line) for line in reservation.lines if line.quantity)
    said = [word for word in (reservation.reference, reservation.customer, lines) if word]
    return [reservation.id, reservation.state, _until(reservation), ", ".join(said)]


def reservation_text(reservation: "Reservation") -> str:
    """A line about it, and one for each of its lines; with the levels of one that was just changed."""
    result = reservation.result
    levels = {} if result is None else {level.key: level for level in result.levels}
    until = f" until {_until(reservation)}" if reservation.expires_at else ""
    said = "".join(f", {word}" for word in (reservation.reference, reservation.customer) if word)
    again = AS_BEFORE if result is not None and result.replayed else ""
    text = [f"{reservation.id}: {reservation.state}{until}{said}{again}"]
    for line in reservation.lines:
        level = levels.get((line.location, line.sku))
        left = "" if level is None else f"; {level.available} available, version {level.version}"
        text.append(f"  {line.sku} at {line.location}: {_units(line)}{left}")
    return "\n".join(text)


def _units(line: "ReservationLine") -> str:
    states = ("pending", "committed", "fulfilled", "cancelled", "expired")
    return ", ".join(f"{units} {state}" for state in states if (units := getattr(line, state))) or "none"


def _until(reservation: "Reservation") -> str:
    """The terminal's own time; a date where it is another day."""
    if reservation.expires_at is None:
        return ""
    ends = reservation.expires_at.astimezone()
    return f"{ends:%H:%M:%S}" if ends.date() == datetime.now().astimezone().date() else f"{ends:%Y-%m-%d}"


def _change(
    ask: "Callable[[Reservations, str], Reservation]",
    idempotency_key: str | None,
    url: str | None,
    key: str | None,
    json: bool,
) -> None:
    book(
        lambda client, once: ask(client.reservations, once),
        idempotency_key,
        url,
        key,
        json,
        fields=reservation_fields,
        text=reservation_text,
    )
