"""Calls of Amazon's own client (``amzn-sp-api``), by the Python of the peers (tests/harness/peers.py), not by ours.

    python sdk.py < {"url", "client_id", "client_secret", "refresh_token", "calls": [{"api", "call", "with", "more"}]}

``api``: the class; ``call``: its method; ``with``: what it is given in order; ``more``: by name; ``scope``: of what
needs no seller; ``anew``: after a new login. Prints an answer for each: {"status", "data", "headers"}, {"status",
"errors"} as it was raised, or {"login"} as its login raised it. A line in, a line out, until there is none.
"""

import importlib
import json
import sys
from typing import Any

HEADERS = ("x-amzn-ratelimit-limit", "x-amzn-requestid")


def _client(asked: dict[str, Any], scope: str | None) -> Any:
    spapi = importlib.import_module("spapi")
    login = importlib.import_module("spapi.auth.lwa_request")
    login.AccessTokenCache.__init__.__defaults__ = (*login.AccessTokenCache.__init__.__defaults__[:-1], 0)  # no retries
    refresh = None if scope else asked["refresh_token"]
    config = spapi.SPAPIConfig(asked["client_id"], asked["client_secret"], refresh, "NA", scope=scope)
    return spapi.SPAPIClient(config, oauth_endpoint=f"{asked['url']}/auth/o2/token", endpoint=asked["url"]).api_client


def _answer(asked: dict[str, Any], call: dict[str, Any], clients: dict[str | None, Any]) -> dict[str, Any]:
    spapi = importlib.import_module("spapi")
    scope = call.get("scope")
    try:
        if call.get("anew") or scope not in clients:
            clients[scope] = _client(asked, scope)
        method = getattr(getattr(spapi, call["api"])(clients[scope]), f"{call['call']}_with_http_info")
        data, status, headers = method(*call.get("with", ()), **call.get("more", {}))
    except spapi.ApiException as raised:
        return {"status": raised.status, "errors": json.loads(raised.body)["errors"]}
    except importlib.import_module("spapi.auth.lwa_exception").LwaException as raised:
        return {"login": str(raised), "cause": str(raised.__cause__)}
    shown = data.to_dict() if hasattr(data, "to_dict") else data
    found = {name.lower(): value for name, value in dict(headers).items() if name.lower() in HEADERS}
    return {"status": status, "data": shown, "headers": found}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        clients: dict[str | None, Any] = {}
        json.dump([_answer(asked, call, clients) for call in asked["calls"]], sys.stdout, default=str)
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
