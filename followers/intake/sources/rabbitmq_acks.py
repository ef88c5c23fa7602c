"""Acknowledgements to RabbitMQ, together where they can be: of a quorum queue each alone is an entry of its log."""

import asyncio

from aiormq.channel import Channel

from followers.brokers.rabbitmq import RabbitmqConnection

AHEAD_MAX = 10_000
"""Deliveries that ended before an older one: far more than are in hand at once, so that one has never come here."""


class Acks:
    """Of one channel, on which deliveries are numbered from 1 without a gap (AMQP 0-9-1, ``delivery-tag``). An
    acknowledgement of several is of all up to one number: nothing is acknowledged so that was never ended here."""

    def __init__(self, connection: RabbitmqConnection, channel: Channel) -> None:
        self._connection = connection
        self._channel = channel
        self._upto = 0
        self._ahead: set[int] = set()
        """Nothing is to be said any more of those up to the one, and of these."""
        self._ended: set[int] = set()
        self._writing = asyncio.Lock()

    def needs_none(self, tag: int) -> None:
        """It was delivered as acknowledged."""
        self._ahead.add(tag)

    async def end(self, tag: int) -> None:
        """Returns when it is sent. What ends in the same turn of the loop, or while others are sent, goes together.
        Raises as the connection does."""
        self._ended.add(tag)
        async with self._writing:
            if tag in self._ended:
                await asyncio.sleep(0)
                await self._connection.within(self._send())

    async def _send(self) -> None:
        """All before the oldest that has not ended by one frame, the others each by its own. Each frame names one that is
        not acknowledged yet: RabbitMQ closes the channel over another."""
        ended, upto = set(self._ended), self._upto
        while upto + 1 in ended or upto + 1 in self._ahead:
            upto += 1
        before = [tag for tag in ended if tag <= upto]
        frames = [(max(before), True)] if before else []
        frames += [(tag, False) for tag in sorted(ended) if tag > upto]
        for number, (tag, multiple) in enumerate(frames, 1):
            await self._channel.basic_ack(tag, multiple, wait=number == len(frames))
        self._upto = upto
        self._ahead = {tag for tag in self._ahead | ended if tag > upto}
        self._ended -= ended
        if len(self._ahead) > AHEAD_MAX:
            raise ConnectionError(f"the delivery {upto + 1:,} of the channel has never come")
