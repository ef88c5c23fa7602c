"""Random buyers: what is offered, is bought."""

import asyncio
import random
from collections.abc import Sequence

from tests.channels.shared.selling import Selling, SoldOut

UNITS = (1, 1, 1, 2)
"""That one buyer wants of one listing."""


class Buyers:
    """One crowd at a time: another one takes the place of the one before."""

    def __init__(self, selling: Selling) -> None:
        self._selling = selling
        self._buying: asyncio.Task[None] | None = None
        self.turned_away = 0
        """Who came when too little was left."""

    @property
    def buying(self) -> bool:
        return self._buying is not None and not self._buying.done()

    def come(self, ids: Sequence[str], per_s: float, seconds: float, seed: int) -> None:
        """``per_s * seconds`` of them in all, however slow this machine is. The same seed, the same wishes."""
        self.leave()
        self._buying = asyncio.get_running_loop().create_task(self._buy(ids, per_s, seconds, seed), name="buyers")

    def leave(self) -> None:
        """Safe if there are none."""
        if self._buying is not None:
            self._buying.cancel()

    async def _buy(self, ids: Sequence[str], per_s: float, seconds: float, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(round(per_s * seconds)):
            await asyncio.sleep(1 / per_s)
            try:
                self._selling.sell({chance.choice(ids): chance.choice(UNITS)}, paid=chance.random() < 0.9)
            except SoldOut:
                self.turned_away += 1
