"""Holds on the command line against a real ledger: what they print, and with which status they end."""

import pytest

from tests.cli.test_client_commands import Shell
from tests.harness.system import System


@pytest.fixture
def shell(shared_system: System, unique_name: str) -> Shell:
    """5 units of a sku of the test's own at a location of the same name, 4 at one beside it."""
    shell = Shell(shared_system, unique_name)
    shell.run("items", "put", unique_name, "An apple")
    for location, units in ((unique_name, "5"), (f"{unique_name}-2", "4")):
        shell.run("locations", "put", location, location)
        shell.run("stock", "receive", unique_name, location, units)
    return shell


def test_a_hold_goes_its_way_and_each_step_says_how_it_stands(shell: Shell) -> None:
    name, order = shell.name, f"order-{shell.name}"
    line = f"{name}@{name}"
    said = shell.run("stock", "hold", f"{line}=3", "--ttl", "15m", "--reference", order, "--customer", "c-1").stdout
    head, body = said.splitlines()
    hold, _, rest = head.partition(": ")
    assert rest.startswith("pending until ")
    assert rest.endswith(f", {order}, c-1")
    assert body == f"  {name} at {name}: 3 pending; 2 available, version 2"
    assert shell.run("stock", "extend", hold, "1h").stdout.startswith(f"{hold}: pending until ")
    assert shell.run("stock", "release", hold, f"{line}=1").stdout.splitlines()[1:] == [
        f"  {name} at {name}: 2 pending, 1 cancelled; 3 available, version 4"
    ]
    (paid,) = shell.json("stock", "commit", hold)
    assert (paid["id"], paid["state"], paid["expires_at"], paid["replayed"]) == (hold, "committed", None, False)
    assert [(level["kind"], level["reserved"]) for level in paid["levels"]] == [("commit", 2)]
    shell.run("stock", "fulfil", hold, f"{line}=1")
    assert shell.run("stock", "holds", hold).stdout.splitlines() == [
        f"{hold}: committed, {order}, c-1",
        f"  {name} at {name}: 1 committed, 1 fulfilled, 1 cancelled",
    ]
    shell.run("stock", "release", hold)
    (level,) = shell.json("stock", "get", name, name)
    assert (level["on_hand"], level["reserved"]) == (4, 0)
    events = shell.run("stock", "history", name, name, COLUMNS="120").stdout.splitlines()
    assert [" ".join(line.split()[3:]).partition(",")[0] for line in events[2:]] == [
        *("hold +0 5 held +3", "hold +0 5 admin", "release +0 5 held -1", "commit +0 5 admin"),
        *("fulfil -1 4 held -1", "release +0 4 held -1"),
    ]
    refused = shell.refused("stock", "extend", hold, "60")
    assert (refused["error"], refused["state"], refused["asked"]) == ("reservation-state", "fulfilled", "extend")


def test_what_is_held_now_is_listed_and_what_has_ended_only_if_asked_for(shell: Shell) -> None:
    line, where = f"{shell.name}@{shell.name}", ("--location", shell.name)
    ids = [shell.json("stock", "hold", line, "--customer", f"c-{number}")[0]["id"] for number in range(3)]
    shell.run("stock", "release", ids[0])
    shell.run("stock", "commit", ids[1])
    assert [one["id"] for one in shell.json("stock", "holds", *where)] == ids[1:]
    assert [one["id"] for one in shell.json("stock", "holds", *where, "--all")] == ids
    assert [one["id"] for one in shell.json("stock", "holds", *where, "--state", "cancelled")] == [ids[0]]
    assert [one["id"] for one in shell.json("stock", "holds", *where, "--sku", shell.name)] == ids[1:]
    assert [one["id"] for one in shell.json("stock", "holds", *where, "--customer", "c-2")] == [ids[2]]
    assert shell.json("stock", "holds", *where, "--older", "1d") == []
    heading, *rows = shell.run("stock", "holds", *where, COLUMNS="80").stdout.splitlines()
    assert heading.split() == ["id", "state", "until", "labels,", "lines"]
    assert [row.split()[:2] for row in rows] == [[ids[1], "committed"], [ids[2], "pending"]]
    assert max(map(len, rows)) <= 80
    shell.run("stock", "holds", *where, "--all", "--state", "pending", status=2)
    shell.run("stock", "holds", ids[0], *where, status=2)
    assert shell.refused("stock", "holds", "--sku", shell.name, status=1)["field"] == "sku"
    assert shell.refused("stock", "holds", "no-id", status=1)["field"] == "id"


def test_units_come_from_several_locations_or_it_is_said_what_each_has(shell: Shell) -> None:
    first, second = shell.name, f"{shell.name}-2"
    split = ("--from", f"{first},{second}", "--split")
    refused = shell.refused("stock", "hold", f"{shell.name}=10", *split)
    assert (refused["error"], refused["available"], refused["locations"]) == ("out-of-stock", 9, {first: 5, second: 4})
    (made,) = shell.json("stock", "hold", f"{shell.name}=7", *split, "--idempotency-key", f"split-{first}")
    assert [(line["location"], line["pending"]) for line in made["lines"]] == [(first, 5), (second, 2)]
    again = shell.run("stock", "hold", f"{shell.name}=7", *split, "--idempotency-key", f"split-{first}").stdout
    assert again.splitlines()[0].endswith(" (as answered before)")
    (level,) = shell.json("stock", "get", shell.name, second)
    assert level["available"] == 2


def test_limits_of_an_item_are_put_and_a_refusal_says_which(shell: Shell) -> None:
    put = ("items", "put", shell.name, "An apple")
    assert shell.json(*put, "--hold-units", "2", "--hold-ttl", "5m")[0]["hold_limits"] == {
        "customer_units": 2,
        "ttl_s": 300,
    }
    assert shell.run(*put).stdout == f'{shell.name}: An apple, holds {{"customer_units":2,"ttl_s":300}}\n'
    refused = shell.refused("stock", "hold", f"{shell.name}@{shell.name}=3", "--customer", "c-1")
    assert (refused["error"], refused["limit"], refused["allowed"]) == ("hold-limit", "customer_units", 2)
    shell.run(*put, "--hold-share", "50", "--no-hold-limits", status=2)
    assert shell.run(*put, "--no-hold-limits").stdout == f"{shell.name}: An apple\n"
