"""`stockwire reconcile CHANNEL`: where a channel and the ledger differ, and what is accepted of it."""

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from cli.channels_api import CHANNELS, ChannelsApi, asked
from stockwire.cli.columns import printable
from stockwire.cli.failure import EXIT_FAILED

ENDS_WITHIN_S = 3_600.0
"""A hundred thousand listings at the pace of a vendor's quota."""
LOOK_EVERY_S = 0.5
SHOWN_MAX = 50


def reconcile_channel(
    channel: str,
    *,
    policy: bool,
    accepted: Sequence[str],
    dismissed: Sequence[str],
    why: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """``accepted``, ``dismissed``: ids or classes of drift that a run has found; without, one runs. Raises
    typer.Exit: 1 if it did not come to its end or a mass differs."""
    with asked(data, f"{CHANNELS}/{channel}") as api:
        if accepted or dismissed:
            _decide(api, "accept", accepted, why)
            _decide(api, "dismiss", dismissed, why)
            return
        run = _run(api, policy)
        drift = api.all("drift", "/drift", state="open")
        show(run, drift, as_json=as_json)
    if run["stopped"]:
        raise typer.Exit(EXIT_FAILED)


def _run(api: ChannelsApi, policy: bool) -> dict[str, Any]:
    run = api.ask("POST", "/reconciliations", {"repairs": policy})
    until = time.monotonic() + ENDS_WITHIN_S
    while run["ended_at"] is None:
        if time.monotonic() > until:
            print(f"stockwire: run {run['id']} goes on: look again later", file=sys.stderr)
            raise typer.Exit(EXIT_FAILED)
        time.sleep(LOOK_EVERY_S)
        run = api.ask("GET", f"/reconciliations/{run['id']}")
    return run


def _decide(api: ChannelsApi, how: str, named: Sequence[str], why: str | None) -> None:
    numbers = [int(one) for one in named if one.isascii() and one.isdigit()]
    classes = [one for one in named if not (one.isascii() and one.isdigit())]
    asked: list[dict[str, Any]] = [{"ids": numbers}] if numbers else []
    asked += [{"class": one} for one in classes]
    done: set[int] = set()
    for one in asked:
        done |= set(api.ask("POST", "/drift", {"how": how, "why": why, **one})["ids"])
    if named:
        print(f"{len(done)} {'accepted' if how == 'accept' else 'dismissed'}.")
    if left := sorted(set(numbers) - done):
        said = ", ".join(map(str, left))
        print(f"stockwire: {said}: not open now, or nothing is proposed: a person has to look", file=sys.stderr)
        raise typer.Exit(EXIT_FAILED)


def show(run: dict[str, Any], drift: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**run, "drift": drift}))
        return
    for one in drift[:SHOWN_MAX]:
        what = one.get("listing") or f"order {one.get('order')}"
        sku = f" ({one['sku']})" if one["sku"] else ""
        proposed = f"  -> {one['repair']}" if one["repair"] else "  -> a person has to look"
        print(printable(f"{one['id']}  {one['class']}  {what}{sku}  {_numbers(one)}  {one['cause']}{proposed}"))
    if (more := len(drift) - SHOWN_MAX) > 0:
        print(f"... and {more} more: --json has all")
    by_class = ", ".join(f"{count} {name}" for name, count in Counter(one["class"] for one in drift).items())
    said = f"{run['compared']} compared, {len(drift)} differ" + (f" ({by_class})" if by_class else "")
    print(f"{said}, {run['repaired']} repaired by the policy." if run["repairs"] else f"{said}.")
    if run["stopped"]:
        print(f"stockwire: {run['stopped']}", file=sys.stderr)


def _numbers(one: dict[str, Any]) -> str:
    ours, theirs = ("-" if one[name] is None else one[name] for name in ("ours", "theirs"))
    return f"ours {ours}, theirs {theirs}"
