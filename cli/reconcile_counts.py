"""`stockwire reconcile --file`: where counts of an ERP or a warehouse differ from the ledger, and what is booked."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from stockwire.cli.failure import EXIT_FAILED
from stockwire.cli.options import client_of, failures

if TYPE_CHECKING:
    from cli.counts import Comparison, Difference

SHOWN_MAX = 50
ALL = "all"


def reconcile_counts(
    file: Path,
    location: str,
    *,
    counted_at: datetime | None,
    whole: bool,
    settle_s: float,
    accepted: Sequence[str],
    why: str | None,
    as_json: bool,
) -> None:
    """``accepted``: skus or classes, or ``all``. Raises typer.Exit."""
    from cli import counts
    from stockwire.importing import UnreadableFile, read_stock

    try:
        found = read_stock(file)
    except UnreadableFile as error:
        _refuse(f"{file.name} cannot be read: {error}")
    if others := {row.location for row in found.rows} - {None, location}:
        _refuse(f"{file.name} also has {len(others)} other locations, such as {min(map(str, others))}: one at a time")
    counted = {row.sku: row.on_hand for row in found.rows}
    with failures(as_json), client_of(None, None) as client:
        first = counts.levels_of(client, location, list(counted), whole=whole)
        time.sleep(settle_s)
        second = counts.levels_of(client, location, list(counted), whole=whole)
        comparison = counts.compare(counted, first, second, counted_at)
        _show(comparison, len(found.rejects), as_json)
        chosen = _chosen(comparison, accepted)
        if chosen:
            refused = counts.book(client, location, chosen, why or "")
            for line in refused:
                print(f"not booked: {line}", file=sys.stderr)
            print(f"{len(chosen) - len(refused)} booked, {len(refused)} refused.", file=sys.stderr)
            if refused:
                raise typer.Exit(EXIT_FAILED)


def _chosen(comparison: "Comparison", accepted: Sequence[str]) -> "list[Difference]":
    if not accepted:
        return []
    if comparison.is_mass and not set(accepted) <= {one.sku for one in comparison.differences}:
        _refuse(
            f"{len(comparison.differences)} of {comparison.compared} differ: that is no drift but a fault of the file, "
            "of its columns or of the location. Nothing is booked; name single skus to book them all the same"
        )
    known = {one.sku for one in comparison.differences} | {one.kind for one in comparison.differences} | {ALL}
    if strange := [one for one in accepted if one not in known]:
        _refuse(f"{strange[0]} is no sku and no class of what differs now: nothing is booked")
    chosen = [one for one in comparison.differences if {one.sku, one.kind, ALL} & set(accepted)]
    for one in chosen:
        if not one.can_be_booked:
            print(f"left to a person: {one.sku}, {one.cause}", file=sys.stderr)
    return [one for one in chosen if one.can_be_booked]


def _show(comparison: "Comparison", unread: int, as_json: bool) -> None:
    if as_json:
        shown = [{**asdict(one), "moved_at": _moment(one.moved_at)} for one in comparison.differences]
        answer = {"compared": comparison.compared, "unread": unread, "moved": comparison.moved, "differences": shown}
        print(json.dumps(answer))
        return
    for one in comparison.differences[:SHOWN_MAX]:
        theirs = "-" if one.theirs is None else one.theirs
        print(f"{one.sku}  {one.kind}  ours {one.ours}, counted {theirs}  {one.cause}")
    if (more := len(comparison.differences) - SHOWN_MAX) > 0:
        print(f"... and {more} more: --json has all")
    said = f"{comparison.compared} compared, {len(comparison.differences)} differ"
    said += f", {len(comparison.moved)} moved meanwhile: count those again" if comparison.moved else ""
    said += f", {unread} lines cannot be read" if unread else ""
    print(f"{said}.")


def moment_of(text: str) -> datetime:
    """Raises typer.BadParameter."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-11-30T08:00:00Z") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} does not say its offset: write 2026-11-30T08:00:00Z")
    return moment.astimezone(UTC)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _refuse(message: str) -> NoReturn:
    print(f"stockwire: {message}", file=sys.stderr)
    raise typer.Exit(EXIT_FAILED)
