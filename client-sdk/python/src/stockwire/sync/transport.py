"""Sends what a call asks, waits, sends it again: the blocking one."""

import random
import ssl
import time
from collections.abc import Iterator
from typing import TypeVar

import httpcore
import httpx

from stockwire.answer import Answer, read
from stockwire.call import Call, Listing
from stockwire.errors import OutcomeUnknown, StockwireError, Unavailable
from stockwire.request import CONNECT_TIMEOUT_S, Request, client_headers
from stockwire.retry import RetryPolicy, Tries
from stockwire.said import said
from stockwire.sync.deadline import Deadline, DeadlineBackend
from stockwire.sync.fork import ForkCheck
from stockwire.sync.pool import Pool
from stockwire.tracing import Sent, sending

NEVER_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)
NO_ANSWER = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpx.RequestError,
)

T = TypeVar("T")


class Transport:
    """One pool of connections to one ledger, for any number of threads.

    ``timeout_s`` bounds each try, the policy all of them together.
    """

    def __init__(
        self, url: str, key: str | None, policy: RetryPolicy, timeout_s: float, trust: ssl.SSLContext | None = None
    ) -> None:
        self._url = url
        self._policy = policy
        self._timeout_s = timeout_s
        self._deadline = Deadline()
        self._check_fork = ForkCheck("this client")
        self._http = httpx.Client(
            base_url=url,
            headers=client_headers(key),
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            transport=Pool(httpx.URL(url), DeadlineBackend(self._deadline), trust),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Safe twice. Not in a fork's child, whose parent goes on using the connections."""
        if not self._check_fork.forked:
            self._http.close()

    def listing(self, listing: Listing[T]) -> Iterator[T]:
        """Every thing of it. The next page is fetched when the last one has been used up."""
        left: Listing[T] | None = listing
        while left is not None:
            things, left = self.call(left.page())
            yield from things

    def call(self, call: Call[T]) -> T:
        """What a successful answer says. Raises StockwireError, after the retries that the policy allows.

        RuntimeError after `close`, and in a fork's child.
        """
        self._check_fork()
        begun = time.monotonic()
        tries = Tries(self._policy, writes=call.request.writes)
        with sending(call.request, self._url) as sent:
            while True:
                try:
                    answer = self._send(call.request, sent)
                    document = read(answer)
                    break
                except StockwireError as error:
                    if not self._waited(tries.wait_s(error, time.monotonic() - begun, random.random())):
                        verdict = tries.verdict(error)
                        verdict.key = call.request.key
                        raise verdict from error
            return call.read(document, answer)

    def _waited(self, wait_s: float | None) -> bool:
        """Whether there is another try. Not once another thread has closed this: what is known so far is the answer."""
        if wait_s is None or self._http.is_closed:
            return False
        time.sleep(wait_s)
        return not self._http.is_closed

    def _send(self, request: Request, sent: Sent) -> Answer:
        """Raises Unavailable if the request never left, OutcomeUnknown if it may have arrived."""
        try:
            with self._deadline.within(CONNECT_TIMEOUT_S + self._timeout_s):
                response = self._http.request(
                    request.method,
                    request.path,
                    params=dict(request.query),
                    content=request.body,
                    headers={**request.headers(), **sent.headers},
                )
        except NEVER_SENT as error:
            raise Unavailable(f"the ledger at {self._http.base_url} cannot be reached: {said(error)}") from error
        except NO_ANSWER as error:
            raise OutcomeUnknown(f"the ledger at {self._http.base_url} did not answer: {said(error)}") from error
        sent.answered(response.status_code)
        return Answer(response.status_code, response.headers, response.content)
