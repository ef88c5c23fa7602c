"""Asking the Selling Partner API: with a token that Login with Amazon gave, and what its refusals mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from followers.marketplaces.adapter import AccessRefused, Answer, Remote, RemoteAway
from followers.marketplaces.errors import defect_of
from followers.marketplaces.remote import QuotaSpent

LOGIN = "https://api.amazon.com/auth/o2/token"
NOTIFICATIONS = "sellingpartnerapi::notifications"
"""The scope of operations that ask nothing of the seller's: https://developer-docs.amazon.com/sp-api/docs/grantless-operations"""
LEFT_S = 60.0
"""A token that ends within this is not used any more: a request may take half of it."""
WORDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Access:
    """``client_id``, ``client_secret``: of the application; ``refresh_token``: of the seller who authorized it."""

    remote: Remote
    endpoint: str
    login: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    async def ask(
        self,
        method: str,
        path: str,
        quota: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        *,
        scope: str | None = None,
        urgent: bool = False,
        spare: bool = False,
        changes: bool = False,
    ) -> Answer:
        """The quota is paced by what the answer says of it. ``scope``: of what needs no seller.

        Raises QuotaSpent for a 429, AccessRefused if a new token is refused too, RemoteAway for errors in a 200.
        """
        url = f"{self.endpoint}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        content = None if body is None else orjson.dumps(body)
        kind = {} if body is None else {"content-type": "application/json"}
        for token in (await self._token(scope), None):
            headers = {"x-amz-access-token": token or await self._token(scope, anew=True), **kind}
            answer = await self.remote.request(
                method, url, quota=quota, urgent=urgent, spare=spare, changes=changes, headers=headers, body=content
            )
            if answer.status not in (401, 403):
                return self._checked(answer, quota)
        raise AccessRefused(f"refuses our access ({answer.status}): {words_of(answer)}")

    def _checked(self, answer: Answer, quota: str) -> Answer:
        bucket = self.remote.buckets[quota]
        if answer.status == 429:
            bucket.empty_for(bucket.refill_s)
            raise QuotaSpent(quota, bucket.refill_s)
        bucket.refills_at(_number(answer.headers.get("x-amzn-ratelimit-limit")))
        if answer.status == 200 and answer.body and isinstance(told := answer.json(), dict) and "errors" in told:
            raise RemoteAway(f"answers 200 with errors inside: {words_of(answer)}")
        return answer

    async def _token(self, scope: str | None, *, anew: bool = False) -> str:
        name = f"token {scope or 'seller'}"
        if not anew and (token := self.remote.kept_value(name)) is not None:
            return token
        grant = (
            {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
            if scope is None
            else {"grant_type": "client_credentials", "scope": scope}
        )
        form = {**grant, "client_id": self.client_id, "client_secret": self.client_secret}
        answer = await self.remote.request("POST", self.login, quota=None, form=form)
        told = answer.json()
        if answer.status in (400, 401, 403) and isinstance(told, dict):
            error, said = told.get("error"), str(told.get("error_description", ""))[:WORDS_MAX]
            raise AccessRefused(f"Login with Amazon refuses a token: {error}: {said}")
        if answer.status != 200:
            raise RemoteAway(f"Login with Amazon answers {answer.status} without a token")
        with understood():
            token = str(told["access_token"])
            self.remote.keep(name, token, float(told["expires_in"]) - LEFT_S)
        return token


@contextmanager
def understood() -> Iterator[None]:
    """What lacks something that has to be there is no answer. Raises RemoteAway."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise RemoteAway(f"answers with what cannot be read: {defect_of(error)}") from None


def fields(answer: Answer) -> dict[str, Any]:
    """Of the object that was asked for. Raises RemoteAway for anything else."""
    told = answer.json()
    if answer.status >= 300 or not isinstance(told, dict):
        raise RemoteAway(f"answers {answer.status}: {words_of(answer)}")
    return told


def words_of(answer: Answer) -> str:
    """What it says is wrong, of one of its errors or issues each."""
    told = answer.json()
    errors = told.get("errors") if isinstance(told, dict) else None
    return words(errors if isinstance(errors, list) else [])


def words(errors: list[Any]) -> str:
    said = [f"{one.get('code')}: {one.get('message')} {one.get('details') or ''}".strip() for one in errors]
    return "; ".join(said)[:WORDS_MAX] or "without a reason"


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
