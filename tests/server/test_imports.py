"""A start must not import what libraries look for and no server uses: that took a fifth of a hub's."""

import json
import subprocess
import sys

import pytest

from tests.harness.processes import clean_environment
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

SERVERS = ("ledger", "hub", "followers", "followers.exporter", "followers.relay", "console")
IMPORTS = f"""
import gc, importlib, json, sys
for name in {SERVERS}:
    importlib.import_module(name + ".__main__")
names = sorted(sys.modules)
import httpx._main, opentelemetry.sdk.metrics
print(json.dumps([gc.isenabled(), names]))
"""
UNUSED = {"httpx._main", "rich", "pygments", "opentelemetry", "confluent_kafka", "nats", "rstream", "aio_pika"}


@pytest.mark.usefixtures("processes")
def test_servers_start_without_what_their_libraries_look_for_and_it_is_there_for_who_wants_it_later() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env=clean_environment({}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    collects, names = json.loads(done.stdout)
    assert collects
    assert {"httpx", "redis.asyncio", "hub.process", "console.process"} <= set(names)
    assert UNUSED & set(names) == set()
