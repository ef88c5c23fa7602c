"""Transfers across shards while ledgers are killed: no unit is lost on its way, sent twice, or received twice."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from ledger.database.audit import audit
from ledger.database.engine import create_engine
from tests.faults.replicas import add_catalog, later, line, move
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, POLL_S
from wire.shards import shard_of

pytestmark = pytest.mark.usefixtures("processes")

STOCK = 1_000
UNITS, LOST = 3, 1
"""Of each transfer; the last of its units never arrives."""
WORKERS = 6
BEFORE_KILL = 10
"""Transfers that are answered between two kills: others are under way."""
WAYS = (("berlin", "hamburg"), ("hamburg", "berlin"))


class Carriers:
    """Send and receive until told to stop; each request is sent again under its key until it is answered."""

    def __init__(self, urls: Sequence[str], key: str) -> None:
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {key}"}
        self.stopping = False
        self.arrived = dict.fromkeys(WAYS, 0)
        self.again = 0

    @property
    def total(self) -> int:
        return sum(self.arrived.values())

    async def run(self, way: tuple[str, str]) -> None:
        async with httpx.AsyncClient(headers=self._headers, timeout=PATIENCE_S, trust_env=False) as client:
            while not self.stopping:
                lines = [{"sku": "A", "quantity": UNITS}]
                sent = await self._asked(client, "", {"from": way[0], "to": way[1], "lines": lines})
                short = {"lines": [{"sku": "A", "quantity": UNITS - LOST}], "close": True}
                await self._asked(client, f"/{sent['transfer']['id']}/receive", short)
                self.arrived[way] += 1

    async def _asked(self, client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> Any:
        """Of any ledger that answers, whichever was asked before."""
        headers, deadline = {"Idempotency-Key": secrets.token_hex(8)}, time.monotonic() + PATIENCE_S
        turn = secrets.randbelow(len(self._urls))
        while (answer := await self._answered(client, turn, path, body, headers)) is None:
            turn += 1
            self.again += 1
            assert time.monotonic() < deadline, f"not answered within {PATIENCE_S:g} s"
            await asyncio.sleep(POLL_S)
        assert answer.is_success, answer.text
        return answer.json()

    async def _answered(
        self, client: httpx.AsyncClient, turn: int, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> httpx.Response | None:
        url = self._urls[turn % len(self._urls)]
        try:
            answer = await client.post(f"{url}/v1/transfers{path}", json=body, headers=headers)
        except httpx.TransportError:
            return None
        return None if later(answer) else answer

    async def await_more(self, number: int) -> None:
        wanted, deadline = self.total + number, time.monotonic() + PATIENCE_S
        while self.total < wanted:
            assert time.monotonic() < deadline, f"{self.total} of {wanted}"
            await asyncio.sleep(POLL_S)


async def test_transfers_across_shards_survive_the_kill_of_their_ledger(process_system: ProcessSystem) -> None:
    system = await process_system.start(ledgers=3, hubs=0)
    assert len({shard_of(name, 4) for name in ("berlin", "hamburg", "transit:berlin", "transit:hamburg")}) > 1
    key = await system.admin_key()
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=system.ledger_url, headers=headers, trust_env=False) as first:
        await add_catalog(first, ["A"], ["berlin", "hamburg"])
        for location in ("berlin", "hamburg"):
            (await move(first, f"delivery-{location}", line("A", STOCK, location))).raise_for_status()
    carriers = Carriers(system.ledger_urls, key)
    async with asyncio.TaskGroup() as tasks:
        for way in WAYS * (WORKERS // 2):
            tasks.create_task(carriers.run(way))
        for ledger in system.ledgers[:2]:
            await carriers.await_more(BEFORE_KILL)
            ledger.kill()  # the requests that it has are answered by nobody
        await carriers.await_more(BEFORE_KILL)
        carriers.stopping = True
    assert carriers.again > 0, "nothing was under way"
    there, back = carriers.arrived.values()
    lost = carriers.total * LOST
    expected = {
        "berlin": STOCK - there * UNITS + back * (UNITS - LOST),
        "hamburg": STOCK - back * UNITS + there * (UNITS - LOST),
        **{"transit:berlin": 0, "transit:hamburg": 0},
    }
    assert sum(expected.values()) == 2 * STOCK - lost
    engine = create_engine(system.database_url, 1)
    try:
        async with engine.connect() as connection:
            assert await audit(connection) == []
        async with engine.connect() as connection:
            rows = (await connection.exec_driver_sql("select location, on_hand from stock_level")).all()
            assert {row.location: row.on_hand for row in rows} == expected
            states = await connection.exec_driver_sql("select distinct state from hold")
            assert states.scalars().all() == ["fulfilled"]
    finally:
        await engine.dispose()
