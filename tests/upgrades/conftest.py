"""The releases, each laid out once for the run when it is first asked for, and what fields are opened on."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.release_tree import Release, past_release, this_release
from tests.harness.valkey import ValkeyServer
from tests.upgrades.field import Grounds
from tests.upgrades.releases import SCHEMA_0001, SCHEMA_0002, next_release, release_before

MAKE: dict[str, Callable[[Path], Release]] = {
    "schema 0001": lambda folder: past_release(SCHEMA_0001, "schema 0001", folder),
    "schema 0002": lambda folder: past_release(SCHEMA_0002, "schema 0002", folder),
    "the one before": release_before,
    "this": lambda _: this_release(),
    "the next": next_release,
}


class ReleaseNamed(Protocol):
    def __call__(self, name: str) -> Release: ...


@pytest.fixture(scope="session")
def release_named(processes: None, tmp_path_factory: pytest.TempPathFactory) -> ReleaseNamed:
    """``release_named("the one before")``. Skips the test, or fails it, where there is no history to take it from."""
    made: dict[str, Release] = {}

    def named(name: str) -> Release:
        if name not in made:
            made[name] = MAKE[name](tmp_path_factory.mktemp("release"))
        return made[name]

    return named


@pytest.fixture
def grounds_of_fields(postgres: PostgresServer, valkey: ValkeyServer, tmp_path: Path) -> Grounds:
    return Grounds(postgres, valkey, tmp_path)
