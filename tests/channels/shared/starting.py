"""A marketplace as a process of a test, and its control port."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.waiting import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Market:
    """``url`` of the vendor's API, without a slash at its end. Its methods are those of ``control.py``."""

    process: ServerProcess
    control: httpx.AsyncClient

    @property
    def url(self) -> str:
        return str(self.process.ready["url"])

    async def truth(self) -> dict[str, Any]:
        return dict(await self._ask("GET", "/truth"))

    async def moved(self) -> list[dict[str, Any]]:
        return list(await self._ask("GET", "/moved"))

    async def counts(self) -> dict[str, Any]:
        return dict(await self._ask("GET", "/counts"))

    async def offer(self, listing: str, quantity: int, title: str = "Mug", **more: object) -> None:
        await self._ask("POST", "/products", {"id": listing, "quantity": quantity, "title": title, **more})

    async def set(self, listing: str, quantity: int) -> None:
        """By hand there."""
        await self._ask("POST", "/set", {"id": listing, "quantity": quantity})

    async def sell(self, listing: str, quantity: int = 1, *, paid: bool = True) -> str:
        """The order's id. Raises httpx.HTTPStatusError (409) if it is sold out."""
        return str((await self._ask("POST", "/sell", {"id": listing, "quantity": quantity, "paid": paid}))["order"])

    async def sell_lines(self, lines: Mapping[str, int]) -> str:
        """All of them in one order, whose id is returned."""
        listed = [{"id": one, "quantity": units} for one, units in lines.items()]
        return str((await self._ask("POST", "/sell", {"lines": listed}))["order"])

    async def change(self, how: str, order: str, lines: Mapping[str, int] | None = None, **more: object) -> None:
        """``how``: pay, cancel, refund or edit."""
        listed = {} if lines is None else {"lines": [{"id": one, "quantity": units} for one, units in lines.items()]}
        await self._ask("POST", f"/{how}", {"order": order, **listed, **more})

    async def buyers(self, ids: Sequence[str], per_s: float, seconds: float, seed: int = 1) -> None:
        await self._ask("POST", "/buyers", {"ids": ids, "per_s": per_s, "seconds": seconds, "seed": seed})

    async def send_home(self) -> None:
        """The buyers."""
        await self._ask("DELETE", "/buyers")

    async def still_buying(self) -> bool:
        return bool((await self._ask("GET", "/buyers"))["buying"])

    async def unsubscribe(self) -> None:
        """The vendor has switched all subscriptions off."""
        await self._ask("DELETE", "/subscriptions")

    async def faults(self, **faults: object) -> None:
        """As in ``faults.py``; with none, all goes right again."""
        await self._ask("POST", "/faults", faults)

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.control.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()


@asynccontextmanager
async def market(vendor: str, folder: Path, *arguments: str) -> AsyncIterator[Market]:
    """``python -m tests.channels.<vendor>``, ready. In the end it is stopped, and has no traceback in its log."""
    environment = clean_environment({})
    process = ServerProcess(vendor, environment, folder, ["-m", f"tests.channels.{vendor}", *arguments])
    try:
        await process.start()
        async with httpx.AsyncClient(base_url=process.ready["control"], timeout=PATIENCE_S) as control:
            yield Market(process, control)
        await process.stop()
        process.check_log()
    finally:
        process.kill()
