"""The API of `stockwire channels`, as commands ask it."""

import os
from pathlib import Path
from typing import Any

import httpx

from cli.trust import trusted
from server.settings.environment import Environment, SettingsError
from stockwire.settings import resolve

URL = "STOCKWIRE_CHANNELS_URL"
HTTP = ("http", "https")
URL_DEFAULT = "http://127.0.0.1:8084"
TIMEOUT_S = 30.0
"""A replay by time looks for its place in every shard of the log."""
SHOWN_MAX = 200


class ChannelsRefused(Exception):
    """They do not do it; the message is theirs."""


class ChannelsApi:
    """``data``: of a running `stockwire up`, unless STOCKWIRE_URL and STOCKWIRE_API_KEY say another system.

    A context manager. Raises ChannelsRefused, httpx.HTTPError; SettingsError and ConfigurationError when it is made.
    """

    def __init__(self, data: Path) -> None:
        environment = Environment(os.environ)
        environment.refuse_unknown()
        way = resolve(None, None, {**os.environ, "STOCKWIRE_DATA": str(data)})
        if way.key is None:
            raise SettingsError("webhooks belong to an API key: set STOCKWIRE_API_KEY")
        self._http = httpx.Client(
            base_url=environment.url(URL, HTTP) if environment.text(URL, "") else published(way.url),
            headers={"Authorization": f"Bearer {way.key}"},
            timeout=TIMEOUT_S,
            verify=trusted(),
            trust_env=False,
        )

    def __enter__(self) -> "ChannelsApi":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str = "", body: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        """``path``: behind ``/v1/webhooks``. Empty for an answer without a body."""
        answer = self._http.request(method, f"/v1/webhooks{path}", json=body, params=query)
        if answer.is_error:
            raise ChannelsRefused(_detail(answer))
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = self.ask("GET", limit=1_000, after=after)
            found += page["webhooks"]
            after = page["next"]
        return found


def published(ledger_url: str) -> str:
    """Where the channels are, by the ledger whose key we have: no others are sent it. Raises SettingsError."""
    try:
        answer = httpx.get(f"{ledger_url}/v1/discovery", timeout=TIMEOUT_S, verify=trusted(), trust_env=False)
        found: str | None = answer.raise_for_status().json().get("channels")
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        reason = error or type(error).__name__
        raise SettingsError(f"the ledger does not say where the channels are ({reason}): set {URL}") from None
    return found or URL_DEFAULT


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return f"the answer is {answer.status_code}: {answer.text[:SHOWN_MAX]}"
