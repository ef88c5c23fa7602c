"""Which levels a command changes: what has to wait for what. Pure.

Names as ``location/sku``. What is misspelt gives no level: the ledger will say so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from followers.intake.command import COUNT, MOVEMENT, RESERVATION, TRANSFER, Command
from followers.intake.known import Known
from wire.envelope import key_of

TRANSIT = "transit:"
"""Before the location that units are on their way to (docs/how-to/transfers.md)."""
Levels = frozenset[str]


def levels_of(command: Command, known: Known) -> Levels | None:
    """None: it may be any, as it is about a reservation or transfer of which nothing is known here."""
    thing, _, step = command.name.partition(".")
    data = command.data
    if thing in (MOVEMENT, COUNT):
        return frozenset(_lines(data if "lines" not in data else {}, data.get("lines")))
    if not step:
        return frozenset(_lines({}, data.get("lines")) if thing == RESERVATION else _sent(data))
    levels = known.levels(command.thing or "")
    if levels is None:
        return None
    if thing == RESERVATION:
        return levels | frozenset(_lines({}, data.get("lines")))
    return levels | _returned(levels, data.get("to"))


def made_known(command: Command, answer: Mapping[str, Any]) -> tuple[str, Levels] | None:
    """Of what a command began or changed, by the ledger's answer: its id and levels."""
    thing = command.name.partition(".")[0]
    if thing == RESERVATION:
        reservation = answer["reservation"]
        return reservation["id"], frozenset(_lines({}, reservation["lines"]))
    if thing == TRANSFER:
        transfer = answer["transfer"]
        return transfer["id"], frozenset(_sent(transfer))
    return None


def _lines(alone: Mapping[str, Any], lines: Any) -> Iterator[str]:
    """``alone``: a line that stands for itself."""
    for line in [alone, *(lines if isinstance(lines, list) else ())]:
        if not isinstance(line, dict) or not isinstance(sku := line.get("sku"), str):
            continue
        several = line.get("locations")
        for location in [line.get("location"), *(several if isinstance(several, list) else ())]:
            if isinstance(location, str):
                yield key_of(location, sku)


def _sent(data: Mapping[str, Any]) -> Iterator[str]:
    begin, end = data.get("from"), data.get("to")
    lines = data.get("lines")
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, dict) and isinstance(sku := line.get("sku"), str):
            if isinstance(begin, str):
                yield key_of(begin, sku)
            if isinstance(end, str):
                yield key_of(end, sku)
                yield key_of(TRANSIT + end, sku)


def _returned(levels: Levels, to: Any) -> Levels:
    """Units that go to another location than they came from."""
    if not isinstance(to, str):
        return frozenset()
    return frozenset(key_of(to, level.partition("/")[2]) for level in levels)
