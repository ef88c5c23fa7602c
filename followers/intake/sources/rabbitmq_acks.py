"""Acknowledgements to RabbitMQ, together where they can be: of a quorum queue each alone is an entry of its log."""

import asyncio

from aiormq.channel import Channel

from followers.brokers.rabbitmq import RabbitmqConnection


class Acks:
    """Of one channel, whose deliveries have tags that only grow."""

    def __init__(self, connection: RabbitmqConnection, channel: Channel) -> None:
        self._connection = connection
        self._channel = channel
        self._in_hand: dict[int, None] = {}
        self._ended: set[int] = set()
        self._writing = asyncio.Lock()

    def come(self, tag: int) -> None:
        self._in_hand[tag] = None

    async def end(self, tag: int) -> None:
        """Returns when it is sent. What ends in the same turn of the loop, or while others are sent, goes together.
        Raises as the connection does."""
        self._ended.add(tag)
        async with self._writing:
            if tag in self._ended:
                await asyncio.sleep(0)
                await self._connection.within(self._send())

    async def _send(self) -> None:
        """All before the oldest that has not ended by one frame, the others each by its own."""
        ended, upto = set(self._ended), 0
        for tag in self._in_hand:
            if tag not in ended:
                break
            upto = tag
        if upto:
            await self._channel.basic_ack(upto, multiple=True, wait=False)
        for tag in sorted(tag for tag in ended if tag > upto):
            await self._channel.basic_ack(tag, wait=False)
        self._ended -= ended
        for tag in ended:
            del self._in_hand[tag]
