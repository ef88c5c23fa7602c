"""The API of `stockwire channels`, as commands ask it."""

import os
from pathlib import Path
from typing import Any

import httpx

from cli.run_file import read_run
from cli.trust import trusted
from server.settings.environment import Environment, SettingsError
from stockwire.settings import resolve

URL = "STOCKWIRE_CHANNELS_URL"
URL_DEFAULT = "http://127.0.0.1:8084"
TIMEOUT_S = 30.0
"""A replay by time looks for its place in every shard of the log."""
SHOWN_MAX = 200


class ChannelsRefused(Exception):
    """They do not do it; the message is theirs."""


class ChannelsApi:
    """``data``: of a running `stockwire up`, unless STOCKWIRE_CHANNELS_URL and STOCKWIRE_API_KEY say another system.

    A context manager. Raises ChannelsRefused, httpx.HTTPError; SettingsError and ConfigurationError when it is made.
    """

    def __init__(self, data: Path) -> None:
        environment = Environment(os.environ)
        environment.refuse_unknown()
        key = resolve(None, None, {**os.environ, "STOCKWIRE_DATA": str(data)}).key
        if key is None:
            raise SettingsError("webhooks belong to an API key: set STOCKWIRE_API_KEY")
        self._http = httpx.Client(
            base_url=_url(environment, data),
            headers={"Authorization": f"Bearer {key}"},
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


def _url(environment: Environment, data: Path) -> str:
    run = read_run(data)
    default = run.channels if run is not None and run.channels else URL_DEFAULT
    return environment.url(URL, ("http", "https"), default).rstrip("/")


def _detail(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return f"the answer is {answer.status_code}: {answer.text[:SHOWN_MAX]}"
