"""Vendure's admin API: one login, whose token every query carries until it is refused.

https://docs.vendure.io/current/core/core-concepts/auth, and what version 3.7.3 was seen to answer.

QueryRefused    the shop understood, did nothing, and would answer the same again
Busy            it did nothing, and wants to be asked later
"""

from collections.abc import Mapping
from typing import Any

import orjson

from followers.marketplaces.adapter import AccessRefused, Answer, Remote, RemoteAway

TOKEN = "vendure-auth-token"
CHANNEL = "vendure-token"
TOKEN_S = 12 * 3600.0
"""A session lasts a year unless set (``sessionDuration``); one that ends earlier is noticed when it is refused."""
BUSY_S = 5.0
FORBIDDEN = "FORBIDDEN"
FINAL = ("ENTITY_NOT_FOUND", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "USER_INPUT_ERROR")
NO_ID = ("invalid input syntax", "out of range for type")
"""What PostgreSQL says to an id that cannot be one. It is passed on without a code."""
LOGIN = """mutation($username: String!, $password: String!) {
  login(username: $username, password: $password) { __typename ... on ErrorResult { message } }
}"""


class QueryRefused(RemoteAway):
    """The shop's own words."""


class Busy(RemoteAway):
    """Vendure itself refuses nobody who asks often, but what stands before it may."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"wants to be asked in {after_s:.0f} s")
        self.after_s = after_s


class Admin:
    """``channel``: the token of a channel of Vendure; None: its default one."""

    def __init__(self, url: str, channel: str | None, credentials: Mapping[str, str], remote: Remote) -> None:
        self._url = url
        self._headers = {"content-type": "application/json", **({CHANNEL: channel} if channel else {})}
        self._login = {name: credentials[name] for name in ("username", "password")}
        self._remote = remote

    async def query(self, text: str, *, changes: bool = False, **variables: object) -> dict[str, Any]:
        """The answer's ``data``. Raises RemoteAway, of which QueryRefused, Busy, and AccessRefused if it takes the
        login no more, or if the administrator may not do this."""
        token = self._remote.kept_value(TOKEN)
        if token is not None:
            answer = await self._ask(text, variables, token, changes=changes)
            if not _is_forbidden(answer):
                return _data_of(answer)
        answer = await self._ask(text, variables, await self._log_in(), changes=changes)
        if _is_forbidden(answer):
            raise AccessRefused(f"{self._login['username']} may not do this there: give its role what `check` lists")
        return _data_of(answer)

    async def _log_in(self) -> str:
        answer = await self._ask(LOGIN, self._login, None)
        result = _data_of(answer)["login"]
        token = answer.headers.get(TOKEN)
        if result["__typename"] != "CurrentUser":
            raise AccessRefused(f"it does not take the login: {result.get('message', result['__typename'])}")
        if not token:
            raise AccessRefused("it gives no token with the login: its authOptions.tokenMethod must contain 'bearer'")
        self._remote.keep(TOKEN, token, TOKEN_S)
        return token

    async def _ask(
        self, text: str, variables: Mapping[str, object], token: str | None, *, changes: bool = False
    ) -> Answer:
        headers = self._headers if token is None else {**self._headers, "authorization": f"Bearer {token}"}
        body = orjson.dumps({"query": text, "variables": variables})
        answer = await self._remote.request("POST", self._url, quota=None, changes=changes, headers=headers, body=body)
        if answer.status == 429:
            raise Busy(answer.retry_after_s or BUSY_S)
        return answer


def _is_forbidden(answer: Answer) -> bool:
    return answer.status in (401, 403) or any(_code_of(error) == FORBIDDEN for error in _errors_of(answer))


def _data_of(answer: Answer) -> dict[str, Any]:
    errors = _errors_of(answer)
    if not errors:
        data = answer.json().get("data")
        if not isinstance(data, dict):
            raise RemoteAway(f"answers {answer.status} without data")
        return data
    words = str(errors[0].get("message", errors[0]))[:500]
    if all(_code_of(error) in FINAL for error in errors) or any(known in words for known in NO_ID):
        raise QueryRefused(words)
    raise RemoteAway(f"says: {words}")


def _errors_of(answer: Answer) -> list[dict[str, Any]]:
    content = answer.json()
    errors = content.get("errors", []) if isinstance(content, dict) else None
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        raise RemoteAway(f"answers {answer.status} with what is not GraphQL")
    return errors


def _code_of(error: Mapping[str, Any]) -> object:
    return (error.get("extensions") or {}).get("code")
