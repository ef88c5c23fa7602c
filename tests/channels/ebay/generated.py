"""Calls of ``ebay_rest``'s generated clients, by the Python of the peers (tests/harness/peers.py), not by ours.

    python generated.py < {"url": ..., "calls": [{"api", "root", "of", "call", "token", "with", "more"}]}

``api``: the package, ``root``: of its paths, ``of``: the class, ``call``: its method, ``with``: what it is given in
order, ``more``: by name. Prints an answer for each: {"status", "data"}, or {"status", "errors"}, as it was raised.
A line in, a line out, until there is none.
"""

import importlib
import importlib.util
import json
import sys
import types
from typing import Any


def _without_the_rest() -> None:
    """The package as it is, but for what it does when it is imported: that reads all 30 of eBay's APIs."""
    found = importlib.util.find_spec("ebay_rest")
    assert found is not None
    package = types.ModuleType("ebay_rest")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["ebay_rest"] = package


def _client(url: str, call: dict[str, Any]) -> Any:
    package = importlib.import_module(f"ebay_rest.api.{call['api']}")
    configuration = package.Configuration()
    configuration.host = url + call["root"]
    configuration.access_token = call["token"]
    return getattr(package, call["of"])(package.ApiClient(configuration))


def _answer(url: str, call: dict[str, Any]) -> dict[str, Any]:
    rest = importlib.import_module(f"ebay_rest.api.{call['api']}.rest")
    method = getattr(_client(url, call), f"{call['call']}_with_http_info")
    try:
        data, status, headers = method(*call.get("with", ()), **call.get("more", {}))
    except rest.ApiException as raised:
        return {"status": raised.status, "errors": json.loads(raised.body)["errors"]}
    shown = data.to_dict() if hasattr(data, "to_dict") else data
    return {"status": status, "data": shown, "location": dict(headers).get("Location", dict(headers).get("location"))}


def main() -> None:
    _without_the_rest()
    for line in sys.stdin:
        asked = json.loads(line)
        json.dump([_answer(asked["url"], call) for call in asked["calls"]], sys.stdout, default=str)
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
