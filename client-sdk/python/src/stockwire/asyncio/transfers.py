"""Units on their way from one location to another: the async one."""

from collections.abc import AsyncIterator, Mapping

from stockwire import transfer_call as call
from stockwire.asyncio.transport import AsyncTransport
from stockwire.transfer import Transfer


class AsyncTransfers:
    """Send units to another location, where they are received, all of them or fewer. On their way nobody can have them.

    Units are given by sku, such as ``{"A-100": 10}``; where None may be given, it means all that are in transit, of a
    sku as of the whole transfer.

    Each method that changes one is one atomic operation with an Idempotency-Key, made once per call and sent with every
    retry: one effect at most, exactly one if it returns. ``key`` is used instead of a new one: the same call with it
    gives the same answer, also from another process and after days. All raise NotFound, Forbidden, Invalid, and Later
    once the retries are used up.

    >>> truck = await client.transfers.send("berlin", "hamburg", {"A-100": 5}, reference="truck-7")
    >>> (await client.transfers.receive(truck.id, {"A-100": 4}, close=True, reason="box torn")).lines[0].lost
    1
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def send(
        self,
        source: str,
        target: str,
        units: Mapping[str, int],
        *,
        reference: str | None = None,
        key: str | None = None,
    ) -> Transfer:
        """Take units from ``source`` and put them on their way to ``target``, all of up to 500 skus or none.

        Raises OutOfStock; then nothing has left.

        >>> truck = await client.transfers.send("berlin", "hamburg", {"A-100": 2})
        >>> truck.state, truck.lines[0].in_transit
        ('in_transit', 2)
        """
        return await self._transport.call(call.send(source, target, units, reference, key))

    async def get(self, id: str) -> Transfer:
        """How it stands now.

        >>> truck = await client.transfers.send("berlin", "hamburg", {"A-100": 1})
        >>> await client.transfers.get(truck.id) == truck
        True
        """
        return await self._transport.call(call.one(id))

    async def receive(
        self,
        id: str,
        units: Mapping[str, int | None] | None = None,
        *,
        close: bool = False,
        reason: str | None = None,
        key: str | None = None,
    ) -> Transfer:
        """Units arrive. The others stay in transit; ``close``: nothing more comes, they are lost.

        Raises TransferState for more than is in transit.

        >>> truck = await client.transfers.send("berlin", "hamburg", {"A-100": 2})
        >>> (await client.transfers.receive(truck.id)).state
        'received'
        """
        return await self._transport.call(call.receive(id, units, close, reason, key))

    async def return_(
        self,
        id: str,
        units: Mapping[str, int | None] | None = None,
        *,
        to: str | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> Transfer:
        """Units are back where they were sent from, or stand ``to`` another location. Raises TransferState.

        >>> truck = await client.transfers.send("berlin", "hamburg", {"A-100": 2})
        >>> (await client.transfers.return_(truck.id, {"A-100": 1})).lines[0].returned
        1
        """
        return await self._transport.call(call.return_(id, units, to, reason, key))

    async def close(
        self,
        id: str,
        units: Mapping[str, int | None] | None = None,
        *,
        reason: str | None = None,
        key: str | None = None,
    ) -> Transfer:
        """What is missing does not come any more: it leaves the books as lost. Raises TransferState.

        >>> truck = await client.transfers.send("berlin", "hamburg", {"A-100": 2})
        >>> (await client.transfers.close(truck.id, reason="stolen")).state
        'lost'
        """
        return await self._transport.call(call.close(id, units, reason, key))

    def list(
        self,
        *,
        source: str | None = None,
        target: str | None = None,
        state: str | None = None,
        reference: str | None = None,
        older_than_s: float | None = None,
    ) -> AsyncIterator[Transfer]:
        """Those that come from or go to a location that may be read, the oldest first, fetched page by page.

        >>> truck = await client.transfers.send("berlin", "hamburg", {"A-100": 1}, reference=f"truck-{receipt_number}")
        >>> [one.id async for one in client.transfers.list(reference=f"truck-{receipt_number}")] == [truck.id]
        True
        """
        return self._transport.listing(call.transfers(call.Asked(source, target, state, reference, older_than_s)))
