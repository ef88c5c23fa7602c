"""The JavaScript client's commands against a real ledger: what it is told is what the Python client reads."""

import asyncio
import json
from pathlib import Path

import pytest

from stockwire import AsyncClient, Event, Level, Reservation, Transfer
from tests.harness.node import run_node
from tests.harness.servers import free_port
from tests.harness.system import System

pytestmark = pytest.mark.usefixtures("processes")

PROGRAM = Path(__file__).with_name("ledger_program.mjs")
LEVELS = [("berlin", "A"), ("berlin", "B"), ("berlin", "C"), ("hamburg", "C")]


async def test_every_command_of_the_javascript_client_does_what_pythons_does(system: System, admin_key: str) -> None:
    ledger = await system.start_ledger()
    async with AsyncClient(ledger.url, admin_key) as client:
        for sku in ("A", "B", "C"):
            await client.items.put(sku, sku)
        for location in ("berlin", "hamburg"):
            await client.locations.put(location, location)
        reader = await system.key("reader", "stock:read:berlin")
        nobody = f"http://127.0.0.1:{free_port()}"
        told = json.loads(await asyncio.to_thread(run_node, PROGRAM, ledger.url, admin_key, reader, nobody))
        assert [Level.parse(level) for level in told["levels"]] == await client.levels_of(LEVELS)
        events = [event async for event in client.stock.history("A", "berlin")]
        assert [Event.parse(event) for event in told["events"]] == events
        reservation, transfer = Reservation.parse(told["reservation"]), Transfer.parse(told["transfer"])
        assert reservation == await client.reservations.get(reservation.id)
        assert transfer == await client.transfers.get(transfer.id)
