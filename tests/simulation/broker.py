"""The broker as one hub has it: messages are lost, doubled, garbled, late and out of order; it goes away, or mute."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import Random

from server.broker.subscription import PAUSE_MIN_S, SILENCE_S, Listener, Subscription
from tests.simulation.loop import VirtualLoop

LOOK_S = 0.2
ON_TIME_S = 0.002
LATE_S_MAX = 0.4


@dataclass(frozen=True, slots=True)
class Noise:
    """How probable each is for a message."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    garbled: float = 0.0


CALM = Noise()
NOISES = (CALM, CALM, Noise(lost=0.15), Noise(doubled=0.3), Noise(late=0.4), Noise(0.2, 0.2, 0.3, 0.05), Noise(lost=1))


class BrokerLine:
    """``up``: whether a connection can be had. ``mute``: the connection looks healthy and delivers nothing."""

    def __init__(self, loop: VirtualLoop, random: Random, counts: Counter[str]) -> None:
        self.up = True
        self.mute = False
        self.noise = CALM
        self.listener: Listener | None = None
        self.heard_at = 0.0
        self._loop = loop
        self._random = random
        self._counts = counts
        self._published = 0
        self._delivered = 0

    def publish(self, kind: str, channel: str, data: bytes) -> None:
        """At most once, like pub/sub, or worse. ``kind``: batch or heartbeat, for the counts."""
        self._published += 1
        if self.listener is None or not self.up or self.mute:
            self._counts[f"{kind} missed"] += 1
            return
        noise, chance = self.noise, self._random.random
        if chance() < noise.lost:
            self._counts[f"{kind} lost"] += 1
            return
        if chance() < noise.garbled:
            self._counts["message garbled"] += 1
            data = data[: len(data) // 2]
        self._send(kind, channel, data, noise)
        if chance() < noise.doubled:
            self._counts[f"{kind} doubled"] += 1
            self._send(kind, channel, data, noise)

    def _send(self, kind: str, channel: str, data: bytes, noise: Noise) -> None:
        delay_s = ON_TIME_S
        if noise.late and self._random.random() < noise.late:
            self._counts[f"{kind} late"] += 1
            delay_s = self._random.uniform(0, LATE_S_MAX)
        self._loop.call_later(delay_s, self._deliver, self.listener, self._published, kind, channel, data)

    def _deliver(self, listener: Listener, number: int, kind: str, channel: str, data: bytes) -> None:
        if listener is not self.listener or not self.up or self.mute:
            return  # that connection is gone, and what was on it
        if number < self._delivered:
            self._counts[f"{kind} overtaken"] += 1
        self._delivered = number
        self.heard_at = self._loop.time()
        listener.message(channel, data)


class SimulatedBroker(Subscription):
    """Tells the feed what the real one would: every subscription, every end of one."""

    def __init__(self, line: BrokerLine, loop: VirtualLoop, counts: Counter[str], listener: Listener) -> None:
        self._line = line
        self._loop = loop
        self._counts = counts
        self._feed = listener

    async def run(self) -> None:
        while True:
            if self._line.up:
                await self._subscription()
            await asyncio.sleep(PAUSE_MIN_S)

    async def _subscription(self) -> None:
        line = self._line
        line.listener, line.heard_at = self._feed, self._loop.time()
        self._feed.subscribed()
        try:
            while line.up:
                await asyncio.sleep(LOOK_S)
                if self._loop.time() - line.heard_at > SILENCE_S:
                    self._counts["broker silent for too long"] += 1
                    return
            self._counts["broker vanished"] += 1
        finally:
            line.listener = None
            self._feed.unsubscribed()
