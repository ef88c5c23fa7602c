"""A program: tills and screens on the client of whatever release its PYTHONPATH names.

``python till.py CONFIG``: sells, receives and counts at ledgers, watches hubs, and writes what it asked, was answered
and was shown as JSON lines into a file. It uses public names of the client alone, and no file beside it. Its standard
input commands it, a line each: ``go``, ``pause``, ``show``, ``end``.
"""

import asyncio
import dataclasses
import json
import random
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TextIO

from stockwire import AsyncClient, Line, OperationResult, Refused, StockwireError, receipt, sale

PACE_S = 0.2
"""Between two operations of one till."""
AGAIN_S = 0.25
GIVE_UP_S = 100.0
"""Longer than anything here lasts: what is not known then is not known at all, and said so."""
TRY_S = 10.0
READY_S = 60.0
COUNTED, SEVERAL, AGAIN = 0.08, 0.25, 0.32
"""Up to there the dice say: a count, several lines, an old key once more; else one line."""
KEPT = 200
"""Old operations that may be asked again."""

Ask = Callable[[], Awaitable[OperationResult]]


class Log:
    """What the program says, a JSON object a line, whole lines only."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, **fields: object) -> None:
        self._file.write(json.dumps(fields, default=plain) + "\n")
        self._file.flush()


def plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


class Till:
    """Sells at one ledger until cancelled: one operation after the other, each until it is known what became of it."""

    def __init__(self, config: dict[str, Any], name: str, client: AsyncClient, log: Log) -> None:
        self.going, self.idle = asyncio.Event(), asyncio.Event()
        self._skus: list[str] = config["skus"]
        self._locations: list[str] = config["locations"]
        self._chance = random.Random(f"{config['seed']} {name}")
        self.client = client
        self._name, self._log = name, log
        self._kept: list[tuple[str, list[Line]]] = []

    async def run(self) -> None:
        while True:
            if not self.going.is_set():
                self.idle.set()
            await self.going.wait()
            self.idle.clear()
            await self._act(self._chance.random())
            await asyncio.sleep(PACE_S * 2 * self._chance.random())

    async def _act(self, dice: float) -> None:
        if dice < COUNTED:
            await self._count()
        elif SEVERAL < dice < AGAIN and self._kept:
            await self._move(*self._chance.choice(self._kept))
        else:
            key, lines = str(uuid.uuid4()), [self._line() for _ in range(3 if dice < SEVERAL else 1)]
            await self._move(key, lines)
            self._kept = [*self._kept[1 - KEPT :], (key, lines)]

    def _line(self) -> Line:
        make = self._chance.choice((sale, sale, receipt))
        return make(self._chance.choice(self._skus), self._chance.choice(self._locations), self._chance.randint(1, 3))

    async def _move(self, key: str, lines: list[Line]) -> None:
        await self._settle(key, lines, lambda: self.client.operation(lines, key=key))

    async def _count(self) -> None:
        sku, location = self._chance.choice(self._skus), self._chance.choice(self._locations)
        began_s = time.monotonic()
        try:
            level = await self.client.stock.get(sku, location)
        except StockwireError as error:
            self._failed(began_s, error)
            return
        key, counted = str(uuid.uuid4()), max(level.reserved, level.on_hand + self._chance.randint(-2, 4))
        line = Line(sku, location, counted, "count", if_version=level.version)
        await self._settle(
            key,
            [line],
            lambda: self.client.stock.count(sku, location, counted, if_version=level.version, key=key),
        )

    async def _settle(self, key: str, lines: list[Line], ask: Ask) -> None:
        """Asks again under the same key for as long as nobody can say what became of it."""
        asked_from = time.monotonic()
        while not await self._asked(key, lines, ask):
            if time.monotonic() - asked_from > GIVE_UP_S:
                self._log.write(broken=f"{self._name} was never told what became of {key}")
                return
            await asyncio.sleep(AGAIN_S)

    async def _asked(self, key: str, lines: list[Line], ask: Ask) -> bool:
        began_s = time.monotonic()
        told: dict[str, object] = {"till": self._name, "key": key, "lines": lines, "invoked_s": began_s}
        try:
            result = await ask()
        except Refused as error:
            told |= {"refused": type(error).__name__, "numbers": vars(error)}
        except StockwireError as error:
            self._failed(began_s, error)
            self._log.write(call={**told, "failed": type(error).__name__, "completed_s": time.monotonic()})
            return False
        else:
            told |= {"events": result.events}
        self._log.write(call={**told, "completed_s": time.monotonic()})
        return True

    def _failed(self, began_s: float, error: StockwireError) -> None:
        reason = f"{type(error).__name__}: {error}"
        self._log.write(error={"till": self._name, "from_s": began_s, "to_s": time.monotonic(), "reason": reason})


class Screen:
    """Watches at one hub, and says every number that it shows, with the epoch that it belongs to."""

    def __init__(self, name: str, public: bool, subscription: Any, log: Log) -> None:
        self.name = name
        self.subscription = subscription
        self._public, self._log = public, log
        subscription.listen(self._hear)

    @property
    def view(self) -> list[list[Any]]:
        return [self._numbers(one) for one in self.subscription.view.copy().values()]

    @property
    def fresh(self) -> bool:
        return bool(self.subscription.view.state.value == "fresh")

    async def follow(self) -> None:
        """Until it is cancelled. Raises what has ended it for good, which whoever only listens would never know."""
        async for event in self.subscription:
            if hasattr(event, "after_s"):
                self._log.write(lost=[self.name, time.monotonic(), event.attempt, event.after_s, event.reason])

    def _hear(self, event: Any) -> None:
        shown = getattr(event, "level", None) or getattr(event, "availability", None)
        for one in getattr(event, "levels", None) or ([shown] if shown else []):
            position = self.subscription.view.position
            epoch = position.epoch if position else None
            self._log.write(frame=[self.name, epoch, *self._numbers(one)])

    def _numbers(self, one: Any) -> list[Any]:
        numbers = [one.availability, one.quantity] if self._public else [one.on_hand, one.reserved]
        return [one.location, one.sku, one.version, *numbers]


async def main(config: dict[str, Any], log: Log) -> None:
    async with AsyncExitStack() as stack:
        tills, screens = [], []
        for name, url in config["tills"].items():
            client = AsyncClient(url, config["key"], max_retries=0, timeout_s=TRY_S)
            tills.append(Till(config, name, await stack.enter_async_context(client), log))
        for name, wanted in config["screens"].items():
            client = AsyncClient(config["ledger"], config["key"], hubs=[wanted["hub"]])
            await stack.enter_async_context(client)
            subscribe = client.subscribe_public if wanted["public"] else client.subscribe
            subscription = await stack.enter_async_context(subscribe(wanted["location"]))
            screens.append(Screen(name, wanted["public"], subscription, log))
        if config["fill"]:
            await fill(config, tills[0].client)
        for screen in screens:
            await screen.subscription.ready(READY_S)
        following = [asyncio.create_task(screen.follow()) for screen in screens]
        selling = [asyncio.create_task(till.run()) for till in tills]
        commanded = asyncio.create_task(_obey(tills, screens, log))
        log.write(ready=True)
        at_work = [*following, *selling]
        done, _ = await asyncio.wait([*at_work, commanded], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {commanded}:
            log.write(broken=f"a till or a screen ended with {task.exception()!r}")
        await commanded
        for task in at_work:
            task.cancel()


async def fill(config: dict[str, Any], client: AsyncClient) -> None:
    """A shop with something on each shelf."""
    for sku in config["skus"]:
        await client.items.put(sku, sku)
    for location in config["locations"]:
        await client.locations.put(location, location)
        await client.operation([receipt(sku, location, config["fill"]) for sku in config["skus"]])


async def _obey(tills: list[Till], screens: list[Screen], log: Log) -> None:
    loop = asyncio.get_running_loop()
    while (command := (await loop.run_in_executor(None, sys.stdin.readline)).strip()) not in ("end", ""):
        if command == "go":
            for till in tills:
                till.going.set()
        elif command == "pause":
            for till in tills:
                till.going.clear()
            for till in tills:
                await till.idle.wait()
            log.write(paused=True)
        elif command == "show":
            log.write(views={one.name: one.view for one in screens}, fresh=all(one.fresh for one in screens))


if __name__ == "__main__":
    config = json.loads(Path(sys.argv[1]).read_text())
    with Path(config["log"]).open("a") as file:
        asyncio.run(main(config, Log(file)))
