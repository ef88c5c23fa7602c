"""The API of `stockwire channels`, as commands ask it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.named_system import data_path
from cli.refusals import refusals
from cli.trust import trusted
from server.settings.environment import Environment, SettingsError
from server.settings.ledger_url import ledger_url_of
from stockwire.cli import http
from stockwire.settings import resolve

# HTTP is imported where it is used: `stockwire --help` needs none.
if TYPE_CHECKING:
    import httpx

CHANNELS = "/v1/channels"
URL = "STOCKWIRE_CHANNELS_URL"
URL_DEFAULT = "http://127.0.0.1:8084"
TIMEOUT_S = 30.0
"""A replay by time looks for its place in every shard of the log."""
SHOWN_MAX = 200


class ChannelsRefused(Exception):
    """They do not do it, in their words, or do not answer."""


class ChannelsApi:
    """``prefix``: of all paths. ``data``: of a running `stockwire up`, unless STOCKWIRE_URL and STOCKWIRE_API_KEY say
    another system.

    A context manager. Raises ChannelsRefused, httpx.HTTPError; SettingsError and ConfigurationError when it is made.
    """

    def __init__(self, data: Path, prefix: str) -> None:
        import httpx

        self._prefix = prefix
        environment = Environment(os.environ)
        environment.refuse_unknown()
        way = resolve(None, None, {**os.environ, "STOCKWIRE_DATA": str(data)})
        if way.key is None:
            raise SettingsError("webhooks and channels belong to an API key: set STOCKWIRE_API_KEY")
        self._http = httpx.Client(
            base_url=ledger_url_of(environment, URL) if environment.text(URL, "") else published(way.url),
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
        """``path``: behind the prefix. Empty for an answer without a body."""
        return _content(self._http.request(method, f"{self._prefix}{path}", json=body, params=query))

    def text(self, path: str) -> str:
        """An answer that is no JSON."""
        answer = self._http.request("GET", f"{self._prefix}{path}")
        if answer.is_error:
            raise ChannelsRefused(_detail(answer))
        return answer.text

    def all(self, name: str, path: str = "", **query: Any) -> list[dict[str, Any]]:
        """Of all pages; ``name``: of the field that has them."""
        found: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = self.ask("GET", path, limit=1_000, after=after, **query)
            found += page[name]
            after = page["next"]
        return found


@contextmanager
def asked(data: Path | None, prefix: str) -> Iterator[ChannelsApi]:
    """``data``: what --data says. What can be said in one line is said in one line. Raises typer.Exit."""
    http.load()
    import httpx

    with refusals(ChannelsRefused):
        try:
            with ChannelsApi(data_path(data), prefix) as api:
                yield api
        except httpx.HTTPError as error:
            why = f"the channels do not answer ({error}): run `stockwire channels`, set {URL}"
            raise ChannelsRefused(why) from error


def published(ledger_url: str) -> str:
    """Where the channels are, by the ledger whose key we have: no others are sent it. Raises SettingsError."""
    import httpx

    try:
        answer = httpx.get(f"{ledger_url}/v1/discovery", timeout=TIMEOUT_S, verify=trusted(), trust_env=False)
        found: str | None = answer.raise_for_status().json().get("channels")
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        reason = error or type(error).__name__
        raise SettingsError(f"the ledger does not say where the channels are ({reason}): set {URL}") from None
    return found or URL_DEFAULT


def _content(answer: "httpx.Response") -> dict[str, Any]:
    if answer.is_error:
        raise ChannelsRefused(_detail(answer))
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def _detail(answer: "httpx.Response") -> str:
    try:
        problem = answer.json()
        return str(problem.get("detail") or problem.get("title"))
    except (ValueError, AttributeError):
        return f"the answer is {answer.status_code}: {answer.text[:SHOWN_MAX]}"
