"""What this release says is read by hubs and clients of the one before: their code, on today's golden vectors."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.compatibility import reading
from tests.harness.release_tree import Release
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S
from tests.upgrades.releases import release_before

READ = ("broker", "hub-to-client")


def today() -> dict[str, list[dict[str, Any]]]:
    files = {name: (ROOT / "wire" / "vectors" / f"{name}.json").read_text() for name in READ}
    return {name: json.loads(text)["vectors"] for name, text in files.items()}


@pytest.fixture(scope="module")
def older(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Release:
    return release_before(tmp_path_factory.mktemp("before"))


def unread(release: Release, vectors: dict[str, list[dict[str, Any]]]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-P", reading.__file__],
        cwd=release.tree,
        env=release.environment({}),
        input=json.dumps(vectors),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["code"]).is_relative_to(release.tree)
    found: list[str] = said["unread"]
    return found


def test_every_message_of_this_release_is_read_by_the_one_before(older: Release) -> None:
    assert unread(older, today()) == []


def test_a_message_that_it_could_not_read_is_found(older: Release) -> None:
    vectors = today()
    batch = next(one for one in vectors["broker"] if one["name"] == "batch of one sale")
    batch["message"]["events"][0]["on_hand"] = "10"
    beat = next(one for one in vectors["hub-to-client"] if one["type"] == "heartbeat")
    beat["message"]["seq"] = [7]
    found = unread(older, vectors)
    assert [line.partition(": ")[0] for line in found] == ["hub", "client", "client", "client"]
