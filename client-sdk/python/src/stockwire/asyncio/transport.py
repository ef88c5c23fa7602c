"""Sends what a call asks, waits, sends it again: the async one."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from typing import TypeVar

import httpx

from stockwire.answer import Answer, read
from stockwire.asyncio.home import HomeLoop
from stockwire.call import Call, Listing
from stockwire.errors import OutcomeUnknown, StockwireError, Unavailable
from stockwire.request import CONNECT_TIMEOUT_S, CONNECTIONS_MAX, Request, client_headers
from stockwire.retry import RetryPolicy, Tries
from stockwire.said import said
from stockwire.tracing import Sent, sending

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

T = TypeVar("T")


class AsyncTransport:
    """One pool of connections to one ledger. ``timeout_s`` bounds each try, the policy all of them together."""

    def __init__(
        self, url: str, key: str | None, policy: RetryPolicy, timeout_s: float, trust: ssl.SSLContext | None = None
    ) -> None:
        self._url = url
        self._policy = policy
        self._timeout_s = timeout_s
        self.check_home = HomeLoop("this AsyncClient")
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=client_headers(key),
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            follow_redirects=False,
            verify=trust or httpx.URL(url).scheme == "https",  # reading all authorities takes longer than a command
        )

    async def close(self) -> None:
        """Safe twice. In another loop than its own it lets go of the connections: they ended, or will, with theirs."""
        if not self.check_home.elsewhere:
            await self._http.aclose()

    async def listing(self, listing: Listing[T]) -> AsyncIterator[T]:
        """Every thing of it. The next page is fetched when the last one has been used up."""
        left: Listing[T] | None = listing
        while left is not None:
            things, left = await self.call(left.page())
            for thing in things:
                yield thing

    async def call(self, call: Call[T]) -> T:
        """What a successful answer says. Raises StockwireError, after the retries that the policy allows.

        RuntimeError after `close`, in another event loop than that of the first call, and in a fork's child.
        """
        self.check_home()
        clock = asyncio.get_running_loop().time
        begun = clock()
        tries = Tries(self._policy, writes=call.request.writes)
        with sending(call.request, self._url) as sent:
            while True:
                try:
                    answer = await self._send(call.request, sent)
                    document = read(answer)
                    break
                except StockwireError as error:
                    if not await self._waited(tries.wait_s(error, clock() - begun, random.random())):
                        verdict = tries.verdict(error)
                        verdict.key = call.request.key
                        raise verdict from error
            return call.read(document, answer)

    async def _waited(self, wait_s: float | None) -> bool:
        """Whether there is another try. Not once another task has closed this: what is known so far is the answer."""
        if wait_s is None or self._http.is_closed:
            return False
        await asyncio.sleep(wait_s)
        return not self._http.is_closed

    async def _send(self, request: Request, sent: Sent) -> Answer:
        """Raises Unavailable if the request never left, OutcomeUnknown if it may have arrived."""
        try:
            # httpx bounds each read, not the whole: an answer that drips would hold the call for ever
            async with asyncio.timeout(CONNECT_TIMEOUT_S + self._timeout_s):
                response = await self._http.request(
                    request.method,
                    request.path,
                    params=dict(request.query),
                    content=request.body,
                    headers={**request.headers(), **sent.headers},
                )
        except NEVER_SENT as error:
            raise Unavailable(f"the ledger at {self._http.base_url} cannot be reached: {said(error)}") from error
        except (httpx.RequestError, TimeoutError) as error:
            raise OutcomeUnknown(f"the ledger at {self._http.base_url} did not answer: {said(error)}") from error
        sent.answered(response.status_code)
        return Answer(response.status_code, response.headers, response.content)
