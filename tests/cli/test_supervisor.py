"""What dies comes back on the same address; what cannot be kept ends the system with the reason."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio

from cli.embedded import Postgres, Valkey
from cli.launch import Launch, Watchdog
from cli.supervisor import EmbeddedPart, ServicePart, Supervisor, SupervisorFailed
from server.settings.environment import SettingsError
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("processes")

READY = 'import time; print("noise"); print(\'{"ready":true}\', flush=True); time.sleep(600)'
DIES_WHEN_READY = "print('{\"ready\":true}', flush=True)"
NEVER_READY = 'import sys; sys.exit("stockwire: the fix is this")'


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    with Watchdog() as watchdog:
        yield watchdog


@contextlib.asynccontextmanager
async def supervised(watchdog: Watchdog) -> AsyncIterator[Supervisor]:
    """Ends as `up` does: first nothing is restarted any more, then everything is stopped."""

    class Done(Exception):
        pass

    supervisor = None
    try:
        async with asyncio.TaskGroup() as tasks:
            supervisor = Supervisor(watchdog, tasks, lambda: None)
            yield supervisor
            raise Done
    except* Done:
        pass
    finally:
        if supervisor:
            await supervisor.stop()


def service(folder: Path, program: str) -> ServicePart:
    return ServicePart(Launch("service", (sys.executable, "-c", program), folder / "service.log"))


async def test_postgres_and_valkey_come_back_on_the_same_address(tmp_path: Path, watchdog: Watchdog) -> None:
    postgres, valkey = Postgres(tmp_path, watchdog), Valkey(tmp_path, watchdog)
    async with supervised(watchdog) as supervisor:
        await supervisor.start(EmbeddedPart(postgres), EmbeddedPart(valkey))
        before = supervisor.pids
        for name in ("postgres", "valkey"):
            os.kill(before[name], signal.SIGKILL)

        async def both_answer() -> bool:
            now = supervisor.pids
            if not {"postgres", "valkey"} <= now.keys() or now["postgres"] == before["postgres"]:
                return False
            connection = await asyncpg.connect(postgres.url)
            await connection.close()
            async with redis.asyncio.Redis.from_url(valkey.url) as client:
                await client.ping()
            return now["valkey"] != before["valkey"]

        await wait_until(both_answer, what="both answer again", swallow=Exception)
    assert set(supervisor.pids) == {"watchdog"}


async def test_a_killed_service_is_started_again(tmp_path: Path, watchdog: Watchdog) -> None:
    async with supervised(watchdog) as supervisor:
        await supervisor.start(service(tmp_path, READY))
        first = supervisor.pids["service"]
        os.kill(first, signal.SIGKILL)

        async def another() -> bool:
            return supervisor.pids.get("service", first) != first

        await wait_until(another, what="another pid")
    assert "service" not in supervisor.pids


async def test_a_service_that_never_gets_ready_says_why(tmp_path: Path, watchdog: Watchdog) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with supervised(watchdog) as supervisor:
            await supervisor.start(service(tmp_path, NEVER_READY))
    assert raised.group_contains(SupervisorFailed, match="the fix is this")


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_setting_that_a_service_refuses_is_passed_on_in_its_own_words(
    tmp_path: Path, watchdog: Watchdog, form: str
) -> None:
    program = f"""
import sys
from server.log import end_with, log_to_stderr
log_to_stderr({form!r})
sys.exit(end_with(78, "X is no number: set it to 1"))
"""
    with pytest.raises(ExceptionGroup) as raised:
        async with supervised(watchdog) as supervisor:
            await supervisor.start(service(tmp_path, program))
    assert raised.group_contains(SettingsError, match="^X is no number: set it to 1$")


async def test_a_service_that_dies_again_and_again_is_given_up(
    tmp_path: Path, watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.restarts.RESTARTS_MAX", 3)

    async def run() -> None:
        async with supervised(watchdog) as supervisor:
            await supervisor.start(service(tmp_path, DIES_WHEN_READY))
            await asyncio.sleep(60)  # cut short by the supervisor's failure

    with pytest.raises(ExceptionGroup) as raised:
        await run()
    assert raised.group_contains(SupervisorFailed, match="service died 4 times within 60 s")


def test_a_new_watchdog_leaves_the_pid_of_a_child_that_has_ended_to_whoever_has_it_now(tmp_path: Path) -> None:
    """Pids are given again: the stranger here has the number that a child once had."""
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        with Watchdog() as watchdog:
            child = watchdog.spawn(Launch("child", ("true",), tmp_path / "child.log"))
            child.wait()
            child.pid = stranger.pid
            os.kill(watchdog.pid, signal.SIGKILL)
            wait_for_end(watchdog)
            watchdog.open()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def wait_for_end(watchdog: Watchdog) -> None:
    deadline = time.monotonic() + 5
    while watchdog.alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
