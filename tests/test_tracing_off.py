"""Where nothing names a collector nothing of OpenTelemetry is imported; where it is told nonsense, nothing starts."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.api_keys import TOKEN_SECRET
from tests.harness.processes import clean_environment
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

SHARED = {"STOCKWIRE_REDIS_URL": "redis://127.0.0.1:1", "STOCKWIRE_TOKEN_SECRET": TOKEN_SECRET}
PROCESSES: dict[str, Mapping[str, str]] = {
    "ledger": {
        **SHARED,
        "STOCKWIRE_DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "STOCKWIRE_LEDGER_DATABASE_WAIT_S": "0",
        "STOCKWIRE_LEDGER_PORT": "0",
        "STOCKWIRE_LEDGER_ADMIN_PORT": "0",
    },
    "hub": {
        **SHARED,
        "STOCKWIRE_LEDGER_URLS": "http://127.0.0.1:1",
        "STOCKWIRE_HUB_KEY": "sw_key",
        **{f"STOCKWIRE_HUB_{port}_PORT": "0" for port in ("STREAM", "READ", "ADMIN")},
    },
}
COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
TELL = """
import asyncio, os, sys
import {process}.__main__ as main
from {process}.settings import read_settings
if {process!r} == "hub":
    from hub.process import Node as Process
    make = lambda settings: Process(settings)
else:
    from ledger.process import LedgerProcess as Process
    make = lambda settings: Process(settings, "http://127.0.0.1")
async def started():
    make(read_settings(os.environ))
asyncio.run(started())
print(sorted(name for name in sys.modules if name.split(".")[0] in ("opentelemetry", "requests", "google")))
"""
HIDING = (
    "import sys; sys.modules['opentelemetry'] = None; import runpy; runpy.run_module({process!r}, run_name='__main__')"
)


def run(code: str, process: str, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code.format(process=process)],
        env=clean_environment({**PROCESSES[process], **variables}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_that_traces_nothing_imports_nothing_for_it(process: str) -> None:
    done = run(TELL, process, {})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
    traced = run(TELL, process, COLLECTOR)
    assert traced.returncode == 0, traced.stderr
    assert "'opentelemetry.sdk.trace'" in traced.stdout


@pytest.mark.parametrize("process", PROCESSES)
def test_a_senseless_setting_and_missing_libraries_refuse_to_start_with_the_fix(process: str, tmp_path: Path) -> None:
    grpc = run(
        "import runpy; runpy.run_module({process!r}, run_name='__main__')",
        process,
        {**COLLECTOR, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    )
    assert (grpc.returncode, grpc.stdout) == (78, "")
    assert (
        grpc.stderr == "stockwire: OTEL_EXPORTER_OTLP_PROTOCOL='grpc' is none that is known: set it to http/protobuf\n"
    )
    missing = run(HIDING, process, COLLECTOR)
    assert (missing.returncode, missing.stdout) == (78, "")
    assert f"pip --python {sys.executable} install --require-hashes -r requirements-tracing.txt" in missing.stderr
    assert "Traceback" not in missing.stderr
