"""The client's verbs against a real ledger: what they print, where, and with which status they end."""

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from typer.testing import CliRunner, Result

from stockwire.cli.program import program
from tests.cli.running import PROGRAM
from tests.harness.processes import clean_environment
from tests.harness.system import System

Printed = list[dict[str, Any]]


@dataclass
class Shell:
    """Runs commands in this process, over a location of the test's own."""

    system: System
    name: str

    def __post_init__(self) -> None:
        self._app, self._runner = program(), CliRunner()
        self._key = asyncio.run(self.system.admin_key())

    def run(self, *words: str, status: int = 0, **variables: str) -> Result:
        environment = {"STOCKWIRE_URL": self.system.ledger_url, "STOCKWIRE_API_KEY": self._key, **variables}
        done = self._runner.invoke(self._app, list(words), env=environment)
        assert done.exit_code == status, (done.output, done.exception)
        return done

    def json(self, *words: str) -> Printed:
        return [json.loads(line) for line in self.run(*words, "--json").stdout.splitlines()]

    def refused(self, *words: str, status: int = 3, **variables: str) -> dict[str, Any]:
        """The object on stderr; nothing may stand on stdout."""
        done = self.run(*words, "--json", status=status, **variables)
        assert done.stdout == ""
        fields: dict[str, Any] = json.loads(done.stderr)
        return fields

    @contextlib.contextmanager
    def running(self, *words: str, key: str | None = None, said: IO[str] | None = None) -> Iterator[IO[str]]:
        """The lines of a command that runs until the context ends, as a program of its own. ``said``: takes stderr."""
        environment = clean_environment(
            {"STOCKWIRE_URL": self.system.ledger_url, "STOCKWIRE_API_KEY": key or self._key}
        )
        command = [str(PROGRAM), *words]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=said, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.kill()

    @staticmethod
    def next_of(lines: IO[str], type_: str) -> dict[str, Any]:
        for line in lines:
            event: dict[str, Any] = json.loads(line)
            if event["type"] == type_:
                return event
        raise AssertionError(f"it ended without a {type_}")


@pytest.fixture
def shell(shared_system: System, unique_name: str) -> Shell:
    shell = Shell(shared_system, unique_name)
    shell.run("locations", "put", unique_name, "A shop")
    shell.run("items", "put", unique_name, "An apple", "--price", "2.50", "--currency", "EUR")
    return shell


@pytest.fixture
def nobody() -> Iterator[str]:
    """A URL where nobody listens, nor can anybody begin to meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_every_movement_goes_its_way_and_the_history_says_so(shell: Shell) -> None:
    level = (shell.name, shell.name)
    said = shell.run("stock", "receive", *level, "10", "--reference", "delivery-1").stdout
    assert said == f"{shell.name} at {shell.name}: 10 available (10 on hand, 0 reserved), version 1\n"
    shell.run("stock", "sell", *level, "3")
    shell.run("stock", "return", *level)
    shell.run("stock", "write-off", *level, "2", "--reason", "broken")
    shell.run("stock", "adjust", *level, "-1")
    (counted,) = shell.json("stock", "count", *level, "9", "--if-version", "5")
    assert (counted["on_hand"], counted["version"], counted["kind"], counted["replayed"]) == (9, 6, "count", False)
    events = shell.json("stock", "history", *level, "--all")
    assert [event["kind"] for event in events] == ["receipt", "sale", "return", "write_off", "adjustment", "count"]
    assert [event["on_hand_delta"] for event in events] == [10, -3, 1, -2, -1, 4]
    assert (events[0]["reference"], events[3]["reason"]) == ("delivery-1", "broken")
    assert shell.json("stock", "history", *level, "--limit", "2") == events[-2:]
    heading, *lines = shell.run("stock", "history", *level, "--limit", "2").stdout.splitlines()
    assert heading.split() == ["version", "committed", "kind", "change", "on", "hand", "by,", "reference"]
    assert [line.split()[0] for line in lines] == ["5", "6"]
    assert max(len(line) for line in (heading, *lines)) <= 80


def test_the_same_idempotency_key_sells_once(shell: Shell) -> None:
    level = (shell.name, shell.name)
    shell.run("stock", "receive", *level, "10")
    for _ in range(2):
        again = shell.run("stock", "sell", *level, "--idempotency-key", f"order-{shell.name}").stdout
    assert again.endswith(", version 2 (as answered before)\n")
    assert shell.json("stock", "get", *level)[0]["on_hand"] == 9


def test_a_refusal_has_a_status_of_its_own_and_its_numbers(shell: Shell) -> None:
    level = (shell.name, shell.name)
    shell.run("stock", "receive", *level, "1")
    done = shell.run("stock", "sell", *level, "3", status=3)
    assert (done.stdout, done.stderr) == ("", f"stockwire: 3 of {shell.name} at {shell.name} requested, 1 available\n")
    refused = shell.refused("stock", "sell", *level, "3")
    assert (refused["error"], refused["requested"], refused["available"]) == ("out-of-stock", 3, 1)
    refused = shell.refused("stock", "sell", *level, "--if-version", "7")
    assert (refused["error"], refused["current"]["version"]) == ("version-conflict", 1)


def test_a_ledger_that_is_away_is_a_status_to_try_again_on(shell: Shell, nobody: str) -> None:
    assert shell.refused("items", "get", shell.name, status=75, STOCKWIRE_URL=nobody)["error"] == "unavailable"
    assert shell.refused("items", "get", "no-such-thing", status=1)["error"] == "not-found"
    assert shell.refused("items", "get", "x", status=78, STOCKWIRE_URL="ftp://x")["error"] == "configuration-error"


@pytest.mark.parametrize("words", [["5"], ["5", "--if-version", "1", "--any-version"], ["-5", "--any-version"]])
def test_a_count_that_does_not_say_what_of_the_version_is_wrong_usage(shell: Shell, words: list[str]) -> None:
    shell.run("stock", "count", shell.name, shell.name, *words, status=2)
    shell.run("stock", "count", shell.name, shell.name, "5", "--any-version")


def test_a_misspelt_option_of_adjust_is_no_number(shell: Shell) -> None:
    shell.run("stock", "adjust", shell.name, shell.name, "-3", "--refrence", "x", status=2)
    shell.run("stock", "adjust", shell.name, shell.name, "+3x", status=2)


def test_items_and_locations_are_put_shown_and_listed(shell: Shell) -> None:
    assert shell.run("items", "get", shell.name).stdout == f"{shell.name}: An apple, 2.50 EUR\n"
    (item,) = shell.json("items", "put", shell.name, "A pear", "--attributes", '{"colour":"red"}')
    assert (item["name"], item["price"], item["attributes"]) == ("A pear", None, {"colour": "red"})
    assert item in shell.json("items", "list")
    assert {"location": shell.name, "name": "A shop"} in shell.json("locations", "list")
    assert shell.run("locations", "get", shell.name).stdout == f"{shell.name}: A shop\n"
    assert any(line.split() == [shell.name, "A", "pear"] for line in shell.run("items", "list").stdout.splitlines())
    shell.run("items", "put", shell.name, "A pear", "--price", "cheap", status=2)
    shell.run("items", "put", shell.name, "A pear", "--attributes", "[1]", status=2)


def test_names_are_completed_from_the_ledger_and_an_absent_one_is_silent(
    shell: Shell, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockwire.cli.completion.DEADLINE_S", 30.0)  # later than that, it would be silent too

    def completed(*words: str, **variables: str) -> list[str]:
        typed = {"COMP_WORDS": " ".join(("stockwire", *words)), "COMP_CWORD": str(len(words))}
        done = shell.run(status=0, **{"_STOCKWIRE_COMPLETE": "complete_bash", **typed, **variables})
        assert done.stderr == ""
        return done.stdout.split()

    assert completed("watch", shell.name[:-1]) == [shell.name]
    assert completed("stock", "sell", shell.name) == [shell.name]
    assert completed("stock", "sell", "x", shell.name[:-2]) == [shell.name]
    assert completed("watch", "n-", STOCKWIRE_URL=nobody) == []


def test_watch_refuses_thresholds_that_make_no_sense(shell: Shell) -> None:
    for words in (["--at-most", "1", "--at-least", "2"], ["--until", "2"]):
        shell.run("watch", shell.name, *words, status=2)
    assert shell.refused("watch", shell.name, "--at-most", "5", "--until", "5", status=1)["field"] == "until"


@pytest.mark.usefixtures("processes")
def test_watch_prints_what_the_public_sees_and_what_crosses(shell: Shell) -> None:
    shell.run("stock", "receive", shell.name, shell.name, "12")
    public = asyncio.run(shell.system.key(shell.name, f"stock:public:{shell.name}"))
    name = {"sku": shell.name, "location": shell.name}
    with (
        shell.running("watch", shell.name, "--public", key=public) as seen,
        shell.running("watch", shell.name, "--at-most", "5", "--until", "8") as low,
    ):
        for lines, held in (
            (seen, {**name, "version": 1, "availability": "in_stock", "quantity": "10+"}),
            (low, {**name, "version": 1, "raised": False, "available": 12}),
        ):
            assert shell.next_of(lines, "snapshot")["levels"] == [held]
        shell.run("stock", "sell", shell.name, shell.name, "8")
        assert shell.next_of(seen, "view")["quantity"] == "1+"
        assert shell.next_of(low, "threshold") == {
            "type": "threshold",
            **name,
            "version": 2,
            "raised": True,
            "available": 4,
        }


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("view", [[], ["--public"], ["--at-most", "5"]], ids=" ".join)
def test_watch_says_that_there_is_no_such_location_and_shows_its_stock_as_soon_as_it_is_made(
    shell: Shell, tmp_path: Path, view: list[str]
) -> None:
    """A wrong name would look like a place without stock."""
    nowhere = f"{shell.name}-nowhere"
    with (tmp_path / "said").open("w+") as said, shell.running("watch", nowhere, *view, said=said) as lines:
        assert shell.next_of(lines, "snapshot")["levels"] == []
        said.seek(0)
        assert said.read() == f"stockwire: there is no location {nowhere}: its stock is shown as soon as it is made\n"
        shell.run("locations", "put", nowhere, "A new shop")
        shell.run("stock", "receive", shell.name, nowhere, "3")
        told = shell.next_of(lines, {"--public": "view", "--at-most": "threshold"}.get("".join(view[:1]), "level"))
        assert (told["location"], told["sku"], told["version"]) == (nowhere, shell.name, 1)


@pytest.mark.usefixtures("processes")
def test_watch_says_nothing_of_a_location_that_is_there_and_empty(shell: Shell, tmp_path: Path) -> None:
    with (tmp_path / "said").open("w+") as said, shell.running("watch", shell.name, said=said) as lines:
        assert shell.next_of(lines, "snapshot")["levels"] == []
        said.seek(0)
        assert said.read() == ""
