"""What a viewer is sent, and what not any more."""

import asyncio
from typing import Any

from console.entry.sessions import Session
from console.web.live import SESSION_OVER, Viewer
from tests.harness.waiting import PATIENCE_S


class HangingBoard:
    """Its topic waits for a ledger that hangs, until ``answer``."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    def read(self, name: object, given: object) -> tuple[Any, Any]:
        return self, given

    async def data(self, topic: Any, asked: Any) -> dict[str, Any]:
        self.asked.set()
        await self.answer.wait()
        return {"at": "now"}


class Socket:
    """Says one thing, and keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.code: int | None = None
        self._said = False

    async def receive_text(self) -> str:
        if self._said:
            await asyncio.Event().wait()
        self._said = True
        return '{"id": 1, "show": "level", "args": {}}'

    async def send_text(self, text: str) -> None:
        self.sent.append(text)

    async def close(self, code: int) -> None:
        self.code = code


async def test_who_is_signed_out_while_the_ledger_hangs_gets_no_answer_any_more() -> None:
    board, socket = HangingBoard(), Socket()
    signed_in: list[Session] = [Session("k", "owner", False, "word", 0.0)]
    viewer = Viewer(socket, board, lambda: signed_in[0] if signed_in else None)  # type: ignore[arg-type]  # played
    async with asyncio.timeout(PATIENCE_S):
        running = asyncio.ensure_future(viewer.run())
        await board.asked.wait()
        signed_in.clear()
        board.answer.set()
        await running
    assert (socket.sent, socket.code) == ([], SESSION_OVER)
