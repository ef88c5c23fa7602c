"""An answer that is waited for only as long as one can come."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def answered(asked: Coroutine[Any, Any, Answer], closed: asyncio.Event, answer_s: float) -> Answer:
    """Raises ConnectionError as soon as the connection is ``closed``, or after ``answer_s``: brokers' clients go on
    waiting over a connection that has ended. Also where the client cancels what was asked, as some do: a cancellation
    is only ever that of whoever waits."""
    answer = asyncio.ensure_future(asked)
    end = asyncio.ensure_future(closed.wait())
    try:
        await asyncio.wait((answer, end), timeout=answer_s, return_when=asyncio.FIRST_COMPLETED)
        if answer.cancelled():
            raise ConnectionError("the client has given it up")
        if answer.done():
            return answer.result()
        raise ConnectionError("the connection ended" if closed.is_set() else f"no answer within {answer_s:g} s")
    finally:
        answer.cancel()
        end.cancel()
        await asyncio.wait((answer, end))
