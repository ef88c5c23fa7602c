"""``python -m tests.attacks.striker``: the attacker's process. A line of JSON in is an attack, one out what it met."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import uvloop

from tests.attacks.attack import Attack, Met, Target
from tests.attacks.flood import FLOODS
from tests.attacks.identity import IDENTITY
from tests.attacks.malformed import MALFORMED
from tests.attacks.visitors import OF_VISITORS
from tests.harness.children import die_with_parent
from tests.harness.processes import ROOT, clean_environment
from tests.harness.waiting import PATIENCE_S

ATTACKS: tuple[Attack, ...] = (*IDENTITY, *FLOODS, *OF_VISITORS, *MALFORMED)
DEADLINE_S = 120.0
LINE_BYTES_MAX = 2**20


class Striker:
    """The attacker's process, from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def strike(self, attack: Attack, target: Target) -> Met:
        """Raises AssertionError with what the process said if it failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"attack": attack.name, "target": asdict(target)}).encode() + b"\n")
        try:
            async with asyncio.timeout(DEADLINE_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise AssertionError(f"the attacker did not end within {DEADLINE_S:g} s: {attack.title}") from None
        assert line, f"the attacker failed at: {attack.title}"
        return Met(json.loads(line))


@asynccontextmanager
async def open_striker() -> AsyncIterator[Striker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.attacks.striker",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=LINE_BYTES_MAX,
        cwd=ROOT,
        env=clean_environment({}),
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    try:
        yield Striker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def main() -> None:
    by_name = {attack.name: attack for attack in ATTACKS}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            asked = json.loads(line)
            met = runner.run(by_name[asked["attack"]].strike(Target(**asked["target"])))
            sys.stdout.write(json.dumps(met) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
