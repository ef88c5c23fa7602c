"""`stockwire reconcile --file`: what differs, and that only what is accepted is booked, at its version."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from cli.counts import CountClass, compare
from stockwire.level import Level
from tests.cli.test_client_commands import Shell
from tests.harness.system import System

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)


def level(sku: str, on_hand: int, version: int = 3, reserved: int = 0) -> Level:
    at = NOW if version else None
    return Level(sku, "depot", version, on_hand, reserved, on_hand - reserved, "sale" if version else None, at, 0, 9)


@pytest.mark.parametrize(
    ("counted", "there", "kind", "numbers", "cause"),
    [
        ({"a": 5}, level("a", 7), CountClass.QUANTITY, (7, 5), "stands since 2026-11-01 08:00:00 UTC, by a sale"),
        ({"a": 5}, level("a", 0, version=0), CountClass.UNKNOWN_HERE, (0, 5), "never had any"),
        ({}, level("a", 7), CountClass.MISSING_THERE, (7, None), "it was not counted"),
        ({"a": 1}, level("a", 7, reserved=2), CountClass.BELOW_RESERVED, (7, 1), "2 are reserved for orders"),
    ],
)
def test_each_class(
    counted: dict[str, int], there: Level, kind: CountClass, numbers: tuple[int, int | None], cause: str
) -> None:
    (found,) = compare(counted, [there], [there], None).differences
    assert (found.kind, (found.ours, found.theirs), found.version) == (kind, numbers, there.version)
    assert cause in found.cause
    assert found.can_be_booked == (kind in (CountClass.QUANTITY, CountClass.UNKNOWN_HERE))


def test_what_agrees_or_is_gone_on_both_sides_does_not_differ() -> None:
    levels = [level("a", 5), level("b", 0)]
    assert compare({"a": 5}, levels, levels, None).differences == []


def test_what_moves_between_the_reads_or_after_the_count_is_to_be_counted_again() -> None:
    moved = compare({"a": 5}, [level("a", 7, 3)], [level("a", 6, 4)], None)
    late = compare({"a": 5}, [level("a", 7)], [level("a", 7)], NOW - timedelta(seconds=1))
    in_time = compare({"a": 5}, [level("a", 7)], [level("a", 7)], NOW)
    assert (moved.differences, moved.moved) == ([], ["a"])
    assert (late.differences, late.moved) == ([], ["a"])
    assert [one.sku for one in in_time.differences] == ["a"]


@pytest.mark.parametrize(
    ("rows", "differing", "mass"), [(5, 5, False), (6, 6, True), (200, 10, False), (200, 11, True)]
)
def test_when_more_than_a_twentieth_differs_it_is_no_drift(rows: int, differing: int, mass: int) -> None:
    counted = {f"s{number}": 1 for number in range(rows)}
    levels = [level(sku, 2 if number < differing else 1) for number, sku in enumerate(counted)]
    assert compare(counted, levels, levels, None).is_mass == mass


@pytest.fixture
def shell(shared_system: System, unique_name: str) -> Shell:
    """Two skus of the test's own, 5 units each."""
    shell = Shell(shared_system, unique_name)
    shell.run("locations", "put", unique_name, unique_name)
    for sku in (f"{unique_name}-a", f"{unique_name}-b"):
        shell.run("items", "put", sku, "An apple")
        shell.run("stock", "receive", sku, unique_name, "5")
    return shell


def told(result: Result) -> str:
    """What stands on stderr, without the breaks and the frame that depend on the terminal's width."""
    return " ".join(result.stderr.replace("│", " ").split())


def counts(folder: Path, **on_hand: int) -> str:
    file = folder / "counts.csv"
    file.write_text("sku,on_hand\n" + "".join(f"{sku},{units}\n" for sku, units in on_hand.items()))
    return str(file)


def test_only_what_is_accepted_is_booked_and_by_whom_and_why_is_kept(shell: Shell, tmp_path: Path) -> None:
    one, other, where = f"{shell.name}-a", f"{shell.name}-b", ("--location", shell.name, "--settle", "0")
    file = counts(tmp_path, **{one: 4, other: 7})
    said = shell.run("reconcile", "--file", file, *where).stdout
    assert f"{one}  quantity  ours 5, counted 4" in said
    assert "2 compared, 2 differ." in said
    shell.run("reconcile", "--file", file, *where, "--accept", one, "--why", "stocktaking in spring")
    levels = [shell.json("stock", "get", sku, shell.name)[0] for sku in (one, other)]
    assert [(level["on_hand"], level["kind"]) for level in levels] == [(4, "count"), (5, "receipt")]
    assert "stocktaking in spring" in shell.run("stock", "history", one, shell.name, COLUMNS="200").stdout
    (answer,) = shell.json("reconcile", "--file", file, *where)
    assert [(found["sku"], found["ours"], found["theirs"]) for found in answer["differences"]] == [(other, 5, 7)]


def test_nothing_is_booked_where_the_wrong_thing_is_named(shell: Shell, tmp_path: Path) -> None:
    one, where = f"{shell.name}-a", ("--location", shell.name, "--settle", "0")
    file = counts(tmp_path, **{one: 4})
    assert "need --why" in told(shell.run("reconcile", "--file", file, *where, "--accept", "all", status=2))
    said = told(shell.run("reconcile", "--file", file, *where, "--accept", "other", "--why", "x", status=1))
    assert "other is no sku and no class of what differs now" in said
    many = counts(tmp_path, **{f"{shell.name}-{number}": 3 for number in range(6)})
    said = told(shell.run("reconcile", "--file", many, *where, "--accept", "all", "--why", "x", status=1))
    assert "6 of 6 differ: that is no drift" in said
    assert "cannot be read" in told(shell.run("reconcile", "--file", str(tmp_path / "none.csv"), *where, status=1))
    assert "say what is compared" in told(shell.run("reconcile", "--file", file, status=2))
    assert "does not say its offset" in told(
        shell.run("reconcile", "--file", file, *where, "--counted-at", "2026-11-01", status=2)
    )
    assert shell.json("stock", "get", one, shell.name)[0]["on_hand"] == 5
