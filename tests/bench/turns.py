"""Rounds in turns: of this tree's processes, and of an earlier one's."""

import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from tests.bench.ratio import Row
from tests.bench.shop import Shop

Bench = Callable[[Shop, int], Awaitable[list[Row]]]
"""Measures its rows over so many rounds. It touches the shop only in a round: with none it says which rows it has."""


@dataclass(slots=True)
class Side:
    """What has been measured of one shop, how long each round took, and why it ended early, if it did."""

    shop: Shop
    rows: list[Row]
    seconds: list[float] = field(default_factory=list)
    failure: str = ""

    async def play(self, bench: Bench) -> None:
        """One round more, unless one has failed: other rows keep their figures then."""
        if self.failure:
            return
        started = time.monotonic()
        try:
            for row, again in zip(self.rows, await bench(self.shop, 1), strict=True):
                row.add(again)
        except Exception as error:  # noqa: BLE001  # the bench goes on with the next row, and says it at its end
            self.failure = f"{type(error).__name__}: {str(error)[:200]}"
            traceback.print_exc()
        self.seconds.append(time.monotonic() - started)


async def rows_of(bench: Bench) -> list[Row]:
    """Without figures, and without a shop."""
    return await bench(cast(Shop, None), 0)


async def in_turns(bench: Bench, shops: Sequence[Shop], rounds: int, earlier_rounds: int) -> list[Side]:
    """``shops``: this tree's, and perhaps an earlier one's. Neither always finds the machine as the other left it.

    ``earlier_rounds``: of the earlier tree, spread over all.
    """
    sides = [Side(shop, await rows_of(bench)) for shop in shops]
    for number in range(rounds):
        playing = sides if (number + 1) * earlier_rounds // rounds > number * earlier_rounds // rounds else sides[:1]
        for side in playing if number % 2 == 0 else reversed(playing):
            await side.play(bench)
    return sides


def joined(sides: Sequence[Side]) -> list[Row]:
    """The rows of the first side, each with what the second, if there is one, had before."""
    now, *earlier = sides
    for side in earlier:
        for row, before in zip(now.rows, side.rows, strict=True):
            row.before = before
            if side.failure:
                row.notes["before"] = f"failed: {side.failure}"
    for row in now.rows:
        if now.failure and not row.measured:
            row.missing = f"failed: {now.failure}"
    return now.rows
