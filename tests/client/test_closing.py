"""A client that is closed while a call waits for its next try: the call says what is known, under its key."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from stockwire import AsyncClient, Client, OutcomeUnknown, StockwireError
from tests.harness.waiting import PATIENCE_S

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BusyLedger:
    """Asks everybody to come back in a second. ``left``: a client has read that and gone."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(BUSY)
        while await reader.read(4096):
            pass
        self.left.set()
        writer.close()


@pytest.fixture
async def ledger() -> AsyncIterator[BusyLedger]:
    ledger = BusyLedger()
    async with await asyncio.start_server(ledger.answer, "127.0.0.1", 0) as server:
        ledger.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield ledger


async def test_a_blocking_call_keeps_its_key(ledger: BusyLedger) -> None:
    client = Client(ledger.url, "key")
    selling = asyncio.create_task(asyncio.to_thread(client.stock.sell, "A", "berlin", key="order-1"))
    await asyncio.wait_for(ledger.left.wait(), PATIENCE_S)
    client.close()
    assert (await verdict(selling)).key == "order-1"


async def test_a_call_on_asyncio_keeps_its_key(ledger: BusyLedger) -> None:
    client = AsyncClient(ledger.url, "key")
    selling = asyncio.create_task(client.stock.sell("A", "berlin", key="order-1"))
    await asyncio.wait_for(ledger.left.wait(), PATIENCE_S)
    await client.close()
    assert (await verdict(selling)).key == "order-1"


async def verdict(selling: "asyncio.Task[object]") -> StockwireError:
    with pytest.raises(StockwireError) as error:
        await asyncio.wait_for(selling, PATIENCE_S)
    assert isinstance(error.value, OutcomeUnknown)
    return error.value
