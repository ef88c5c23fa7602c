"""Programs of the system's packages that tests run beside ours: a balancer, a cache, a broker, what watches."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.harness.children import die_with_parent
from tests.harness.processes import clean_environment
from tests.harness.waiting import PATIENCE_S, wait_until

PACKAGES = {
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "varnishd": "varnish",
    "varnishstat": "varnish",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "rabbitmq-server": "rabbitmq-server",
    "erl": "rabbitmq-server",
    "epmd": "rabbitmq-server",
}
"""Debian's package of each. `.ci/run` installs them all."""
REQUIRED = "STOCKWIRE_REQUIRE_PROGRAMS"
_FOLDERS = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"


def need_program(name: str) -> str:
    """Its path. Skips the test if there is none, or fails it where STOCKWIRE_REQUIRE_PROGRAMS says so."""
    if (program := installed(name)) is None:
        reason = f"no {name} on this machine (Debian: apt-get install {PACKAGES[name]})"
        (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(reason)
    return program


def installed(name: str) -> str | None:
    """Also where a user's PATH does not reach, as of most servers."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_FOLDERS}")


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program beside ours, which ends with the block, or with this run. What it says goes into ``log``."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=clean_environment({}),
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()


async def await_answer(process: subprocess.Popen[bytes], log: Path, url: str) -> None:
    """Until ``url`` answers 200. Raises AssertionError with the log if the program ends or is late."""

    async def answers() -> bool:
        assert process.poll() is None, await asyncio.to_thread(log.read_text)
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(url)).status_code == httpx.codes.OK

    await wait_until(answers, swallow=httpx.HTTPError, what=f"{url} answers")
