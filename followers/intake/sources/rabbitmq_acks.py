"""Acknowledgements to RabbitMQ, together where they can be: of a quorum queue each alone is an entry of its log."""

import asyncio

from aiormq.channel import Channel

from followers.brokers.rabbitmq import RabbitmqConnection


class Acks:
    """Of one channel, on which deliveries are numbered from 1 without a gap (AMQP 0-9-1, ``delivery-tag``). An
    acknowledgement of several is of all up to one number: where a number never came here, each goes alone."""

    def __init__(self, connection: RabbitmqConnection, channel: Channel) -> None:
        self._connection = connection
        self._channel = channel
        self._newest = 0
        self._all_came = True
        self._in_hand: dict[int, None] = {}
        self._ended: set[int] = set()
        self._writing = asyncio.Lock()

    def come(self, tag: int) -> None:
        """In their order."""
        self._all_came &= tag == self._newest + 1
        self._newest = tag
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
        """All before the oldest that has not ended by one frame, the others each by its own. Each frame names one that
        is not acknowledged yet: RabbitMQ closes the channel over another."""
        ended, upto = set(self._ended), 0
        for tag in self._in_hand if self._all_came else ():
            if tag not in ended:
                break
            upto = tag
        frames = [(upto, True)] if upto else []
        frames += [(tag, False) for tag in sorted(ended) if tag > upto]
        for number, (tag, multiple) in enumerate(frames, 1):
            await self._channel.basic_ack(tag, multiple, wait=number == len(frames))
        self._ended -= ended
        for tag in ended:
            del self._in_hand[tag]
