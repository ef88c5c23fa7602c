"""What cannot be printed is said in one line, and never printed as something else: a disk that is full, an encoding
without the letters, a name that is no UTF-8, a reader that has gone.
"""

import asyncio
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from stockwire import Client
from tests.cli.running import PROGRAM
from tests.client.blocking import open_till
from tests.harness.processes import clean_environment
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

FULL = Path("/dev/full")
EXIT_OUTPUT = 74
SAID = "the output cannot be written (No space left on device)"

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full here")


def run(
    *words: str, variables: Mapping[str, str] | None = None, out: Path | None = None, err: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    with open(out or "/dev/null", "wb") as out_file, open(err or "/dev/null", "wb") as err_file:
        return subprocess.run(
            [PROGRAM, *words],
            env=clean_environment(variables or {}),
            stdout=out_file if out else subprocess.PIPE,
            stderr=err_file if err else subprocess.PIPE,
            timeout=PATIENCE_S,
            check=False,
        )


@pytest.fixture
def settings(shared_system: System) -> dict[str, str]:
    key = asyncio.run(shared_system.admin_key())
    return {"STOCKWIRE_URL": shared_system.ledger_url, "STOCKWIRE_API_KEY": key}


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["stock", "--help"]])
def test_a_full_disk_is_one_line_whatever_prints(words: list[str]) -> None:
    done = run(*words, out=FULL)
    assert (done.returncode, done.stderr.decode()) == (EXIT_OUTPUT, f"stockwire: {SAID}\n")
    assert run(*words, out=FULL, err=FULL).returncode == EXIT_OUTPUT, "with nobody left to tell"


@pytest.mark.usefixtures("processes")
def test_a_sale_that_cannot_be_printed_names_its_key(
    shared_system: System, unique_name: str, settings: dict[str, str]
) -> None:
    open_till(shared_system, unique_name).client.close()
    sell = ("stock", "sell", unique_name, unique_name)
    done = run(*sell, "--json", out=FULL, variables=settings)
    assert done.returncode == EXIT_OUTPUT
    (line,) = done.stderr.splitlines()
    told = json.loads(line)
    assert (told["error"], told["message"]) == ("output-failed", f"{SAID}: it is booked")
    again = json.loads(run(*sell, "--json", "--idempotency-key", told["idempotency_key"], variables=settings).stdout)
    assert (again["replayed"], again["on_hand"]) == (True, 999)
    done = run(*sell, out=FULL, variables=settings)
    assert done.stderr.decode().startswith(f"stockwire: {SAID}: it is booked: the same again with --idempotency-key ")
    assert run(*sell, out=FULL, err=FULL, variables=settings).returncode == EXIT_OUTPUT
    assert (
        run("stock", "get", unique_name, unique_name, "--json", variables=settings).stdout.count(b'"on_hand":997') == 1
    )


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_name_is_never_printed_as_another(settings: dict[str, str], unique_name: str, encoding: str) -> None:
    name = "Grün 日本"
    with Client(settings["STOCKWIRE_URL"], settings["STOCKWIRE_API_KEY"]) as client:
        client.items.put(unique_name, name)
    get = ("items", "get", unique_name)
    shown = run(*get, "--json", variables={**settings, "PYTHONIOENCODING": encoding}).stdout
    assert json.loads(shown.decode(encoding))["name"] == name
    text = run(*get, variables={**settings, "PYTHONIOENCODING": encoding}).stdout
    assert text == f"{unique_name}: {name}\n".encode(encoding, "backslashreplace")


@pytest.mark.usefixtures("processes")
def test_a_reader_that_has_gone_is_told_nothing(settings: dict[str, str]) -> None:
    listing = subprocess.Popen(
        [PROGRAM, "items", "list"],
        env=clean_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.close()
    with listing.stderr as complaints:
        assert complaints.read() == b""
    assert listing.wait(PATIENCE_S) == 1
