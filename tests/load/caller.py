"""Calls with the SDK's rules through locust's own client: sent again with the same key while that makes sense."""

import random
import time
from collections.abc import Callable
from typing import Any

from stockwire.answer import Answer, read
from stockwire.errors import StockwireError
from stockwire.request import Request
from stockwire.retry import RetryPolicy, Tries

TIMEOUT_S = 10.0
"""Of one try."""
POLICY = RetryPolicy(max_retries=5, retry_for_s=15.0)
"""Shorter than the SDK's own: the end of a run waits for its last calls."""


def call(send: Callable[[Request], Answer], request: Request) -> dict[str, Any]:
    """The document of a successful answer. ``send`` raises Unavailable or OutcomeUnknown when there was no answer.

    Raises StockwireError after the tries that `POLICY` allows, OutcomeUnknown if any of them may have been booked.
    """
    begun = time.monotonic()
    tries = Tries(POLICY, writes=request.writes)
    while True:
        try:
            return read(send(request))
        except StockwireError as error:
            wait_s = tries.wait_s(error, time.monotonic() - begun, random.random())
            if wait_s is None:
                verdict = tries.verdict(error)
                verdict.key = request.key
                raise verdict from error
        time.sleep(wait_s)
