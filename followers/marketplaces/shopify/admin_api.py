"""Questions to the Admin API: with a token, within what it lets us ask, and errors in our words."""

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import orjson

from followers.marketplaces.adapter import AccessRefused, Answer, Quota, Remote, RemoteAway, SettingRefused
from followers.marketplaces.shopify.documents import Document

P = ParamSpec("P")
T = TypeVar("T")
VERSION = "2026-10"
POINTS = Quota("points", burst=2_000, per_s=100, kept=0.1)
"""Of the standard plan; the answers say what it is here. What is kept sets 4,000 zeros, or reads 3 orders."""
TOKEN_EARLY_S = 300.0
"""So long before its end a token is taken for old."""
THROTTLED_S = 1.0
"""If the answer does not say how far the points are from what was asked for."""


class PointsSpent(RemoteAway):
    """Nothing was done; ``after_s``: until there are as many points."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"throttles us for {after_s:.1f} s")
        self.after_s = after_s


def understood(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Raises RemoteAway for an answer that lacks what was asked for."""

    @wraps(method)
    async def understanding(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await method(*arguments, **named)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RemoteAway("answers in a shape that nobody asked for") from None

    return understanding


class AdminApi:
    """Of one shop. ``secret``: of the app with this ``client_id``, which is installed there: its tokens come by the
    client credentials grant, and last a day. ``token``: instead, one that lasts.

    https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant
    """

    def __init__(self, shop: str, client_id: str, secret: str, token: str | None, remote: Remote) -> None:
        self._base = base_url(shop)
        self._client_id = client_id
        self._secret = secret
        self._token = token
        self._remote = remote

    async def ask(
        self,
        document: Document,
        variables: Mapping[str, Any],
        *,
        times: int = 1,
        urgent: bool = False,
        spare: bool = False,
        changes: bool = False,
    ) -> dict[str, Any]:
        """Its data. ``times``: how often its cost is taken. Raises PointsSpent, AccessRefused, RemoteAway."""
        body = orjson.dumps({"query": document.text, "variables": variables})
        cost = document.cost * times
        answer = await self._post(body, cost, urgent, spare, changes)
        if answer.status == 401 and self._token is None:
            self._remote.kept.pop("token", None)
            answer = await self._post(body, cost, urgent, spare, changes)
        if answer.status in (401, 403):
            raise AccessRefused(f"answers {answer.status} to our token: is the app still installed?")
        if answer.status == 429:
            raise self._throttled(answer.retry_after_s or THROTTLED_S)
        if answer.status != 200:
            raise RemoteAway(f"answers {answer.status}")
        return self._data(answer.json())

    async def _post(self, body: bytes, cost: int, urgent: bool, spare: bool, changes: bool) -> Answer:
        token = self._token or await self._granted()
        headers = {"x-shopify-access-token": token, "content-type": "application/json"}
        return await self._remote.request(
            "POST",
            f"{self._base}/admin/api/{VERSION}/graphql.json",
            quota=POINTS.name,
            cost=cost,
            urgent=urgent,
            spare=spare,
            changes=changes,
            headers=headers,
            body=body,
        )

    async def _granted(self) -> str:
        if token := self._remote.kept_value("token"):
            return token
        form = {"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": self._secret}
        answer = await self._remote.request("POST", f"{self._base}/admin/oauth/access_token", quota=None, form=form)
        if answer.status in (400, 401, 403, 404):
            raise AccessRefused(f"gives no token ({answer.status}): check client_id and secret, and install the app")
        if answer.status != 200:
            raise RemoteAway(f"answers {answer.status} where a token is asked for")
        granted = answer.json()
        try:
            token, seconds = str(granted["access_token"]), float(granted["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise RemoteAway("answers without a token") from None
        self._remote.keep("token", token, max(seconds - TOKEN_EARLY_S, 0.0))
        return token

    def _data(self, content: Any) -> dict[str, Any]:
        if not isinstance(content, dict):
            raise RemoteAway("answers with what is no answer of GraphQL")
        cost = self._fed(content)
        errors = content.get("errors")
        if errors:
            first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {"message": errors}
            code, message = (first.get("extensions") or {}).get("code"), str(first.get("message"))[:200]
            if code == "THROTTLED":
                raise self._throttled(cost)
            if code == "ACCESS_DENIED":
                raise AccessRefused(f"denies access: {message}")
            raise RemoteAway(f"answers with an error: {message}")
        if not isinstance(content.get("data"), dict):
            raise RemoteAway("answers without data")
        return dict(content["data"])

    def _fed(self, content: Mapping[str, Any]) -> float:
        """Tells the bucket what is left. Returns in how many seconds what was asked for would be there."""
        try:
            cost = content["extensions"]["cost"]
            left = float(cost["throttleStatus"]["currentlyAvailable"])
            per_s = float(cost["throttleStatus"]["restoreRate"])
            requested = float(cost["requestedQueryCost"])
        except (KeyError, TypeError, ValueError):
            return THROTTLED_S
        self._remote.buckets[POINTS.name].fed(left, per_s)
        return max(requested - left, 0.0) / per_s if per_s > 0 else THROTTLED_S

    def _throttled(self, after_s: float) -> PointsSpent:
        self._remote.buckets[POINTS.name].empty_for(after_s)
        return PointsSpent(after_s)


def base_url(shop: str) -> str:
    """``my-shop.myshopify.com``, or a whole address. Raises SettingRefused."""
    address = shop.strip() if "://" in shop else f"https://{shop.strip()}"
    url = urlsplit(address)
    if url.scheme not in ("https", "http") or not url.hostname or url.path.strip("/") or "@" in url.netloc:
        raise SettingRefused("shop", f"{shop!r} is no address of a shop: write it as in my-shop.myshopify.com")
    return f"{url.scheme}://{url.netloc}"
