"""`stockwire migrate` of a release as a process, that is killed -9 at each step and run again until it has done all."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.harness.children import die_with_parent
from tests.harness.release_tree import Release
from tests.harness.waiting import PATIENCE_S

STEP_BY_STEP = """
import sys
from cli import migrating
say = migrating.say
def say_and_wait(line):
    say(line)
    sys.stdin.readline()
migrating.say = say_and_wait
import stockwire_command
stockwire_command.main()
"""
"""`stockwire`, which goes on with a migration when it is told to. Else it might have done all before it is killed."""
WITHIN_S = 0.03
"""A kill comes at most so long after its step begins: before, within or after what it does, and before the next."""
RUNS_MAX = 40
"""Steps of all migrations together, and some more."""

AtStep = Callable[[str], Awaitable[None]]
"""What is done at a step."""


class Migration:
    """One run of it. ``lines``: what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def line(self) -> str | None:
        """The next that it says; None at its end."""
        assert self._process.stdout is not None
        async with asyncio.timeout(2 * PATIENCE_S):
            line = (await self._process.stdout.readline()).decode().rstrip()
        if not line:
            return None
        self.lines.append(line)
        return line

    def go_on(self) -> None:
        """With what the last line has told of."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def end(self) -> tuple[int, str]:
        """Its exit status, and what it complains of."""
        async with asyncio.timeout(2 * PATIENCE_S):
            _, complaints = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, complaints.decode()


@asynccontextmanager
async def migration(release: Release, url: str, *arguments: str) -> AsyncIterator[Migration]:
    """Runs, step by step; killed at the latest when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STEP_BY_STEP, "migrate", *arguments),
        cwd=release.tree,
        env=release.environment({"STOCKWIRE_DATABASE_URL": url}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    running = Migration(process)
    try:
        yield running
    finally:
        running.kill()
        await running.end()


async def nothing(_line: str) -> None:
    pass


async def killed_at_each_step(
    release: Release,
    url: str,
    chance: random.Random,
    *arguments: str,
    at_step: AtStep = nothing,
    when_killed: AtStep = nothing,
) -> list[str]:
    """Killed at the first step that it was not killed at before, again and again, until it ends by itself.

    ``at_step``: done before the kill, when the step has begun; ``when_killed``: before it is run again. Returns the
    lines of the steps. Raises AssertionError if it does not go on, or ends badly.
    """
    steps: list[str] = []
    for _ in range(RUNS_MAX):
        async with migration(release, url, *arguments) as run:
            while (line := await run.line()) is not None:
                run.go_on()
                if is_step(line) and line not in steps:
                    steps.append(line)
                    await at_step(line)
                    await asyncio.sleep(chance.uniform(0, WITHIN_S))
                    run.kill()
                    await when_killed(line)
                    break
            else:
                status, complaints = await run.end()
                assert status == 0, complaints
                return steps
    raise AssertionError(f"it does not come to an end: {steps}")


async def migrated(release: Release, url: str, *arguments: str) -> str:
    """Run to its good end. Returns what it said."""
    done = await release.stockwire({"STOCKWIRE_DATABASE_URL": url}, "migrate", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def refused(release: Release, url: str, *arguments: str) -> str:
    """Run to a refusal: one line, and nothing said to have been done. Returns the line."""
    done = await release.stockwire({"STOCKWIRE_DATABASE_URL": url}, "migrate", *arguments)
    assert (done.returncode, done.stdout) == (1, ""), (done.stdout, done.stderr)
    return done.stderr.strip()


def is_step(line: str) -> bool:
    """Such as `0004 step 2 of 5: the writer of each event`."""
    return line[:4].isdigit() and line[4:10] == " step "


def are_whole(steps: list[str]) -> bool:
    """Whether of each migration all steps are there, in order."""
    expected = [number for one in steps if " step 1 of " in one for number in range(1, int(one.split()[4][:-1]) + 1)]
    return [int(one.split()[2]) for one in steps] == expected
