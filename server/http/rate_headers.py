"""The rate limit of whoever asks as headers of the answers, refusals by it included."""

from starlette.types import ASGIApp, Receive, Scope, Send

from server.rates.rate_limits import RateLimits


class RateHeaders:
    """Pure ASGI middleware."""

    def __init__(self, app: ASGIApp, rate_limits: RateLimits) -> None:
        self._app = app
        self._rate_limits = rate_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, self._rate_limits.telling(scope, send))
