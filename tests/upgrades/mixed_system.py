"""Two ledgers and two hubs of any releases on one database and one broker, each of which may become another."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from tests.harness.processes import ServerProcess
from tests.harness.release_tree import Release, this_release
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S
from tests.upgrades.tills import Tills

SPREAD = 2
"""Ledgers, and hubs."""


@dataclass(eq=False)
class MixedSystem(ProcessSystem):
    """``release``: of the servers that are started next. ``others``: beside those that tills know.

    ``kills`` and ``restarts`` are counted.
    """

    release: Release = field(default_factory=this_release)
    others: list[ServerProcess] = field(default_factory=list)
    kills: int = 0
    restarts: int = 0
    _releases: dict[str, Release] = field(default_factory=dict)

    def _new_ledger(self, name: str, settings: Mapping[str, object]) -> ServerProcess:
        return self.dressed(super()._new_ledger(name, settings), self.release)

    def _new_hub(self, name: str, settings: Mapping[str, object], arguments: tuple[str, ...]) -> ServerProcess:
        return self.dressed(super()._new_hub(name, settings, arguments), self.release)

    def dressed(self, server: ServerProcess, release: Release) -> ServerProcess:
        server.cwd = release.tree
        server.environment["PYTHONPATH"] = release.python_path
        self._releases[server.name] = release
        return server

    def release_of(self, server: ServerProcess) -> Release:
        return self._releases[server.name]

    async def open(self, release: Release) -> None:
        """All servers of ``release``, ready; the ledgers name the hubs to clients."""
        self.release = release
        self.plan_hubs(SPREAD)
        await asyncio.gather(*(self.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=0) for _ in range(SPREAD)))
        await asyncio.gather(*(self.start_hub(STOCKWIRE_HUB_DRAIN_S=0.5) for _ in range(SPREAD)))
        for server in (*self.ledgers, *self.hubs):
            await self.check(server)

    async def become(self, server: ServerProcess, release: Release, tills: Tills, *, killed: bool = False) -> None:
        """``server`` ends, or is killed, and comes back as ``release`` on the addresses that it had."""
        self.restarts += 1
        with tills.disturbed(server.name):
            if killed:
                self.kill(server)
            await self.dressed(server, release).restart()
        await self.check(server)

    def kill(self, server: ServerProcess) -> None:
        self.kills += 1
        server.kill()

    async def check(self, server: ServerProcess) -> None:
        """It runs the release that it is meant to. Raises AssertionError."""
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as http:
            said = (await http.get(f"{server.admin}/readyz")).text
        version = re.findall(r'"version": ?"(.+?)"', said)  # from before they said it: a word in plain text
        assert version == [one for one in [self.release_of(server).version] if one], (server.name, said)

    async def stop(self) -> None:
        for server in self.others:
            server.kill()
            server.check_log()
        await super().stop()

    @property
    def ledgers_by_name(self) -> dict[str, str]:
        return {ledger.name: ledger.url for ledger in self.ledgers}

    @property
    def hubs_by_name(self) -> dict[str, str]:
        return {hub.name: hub.stream for hub in self.hubs}
