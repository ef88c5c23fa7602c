"""Whether a live answer has the shape of the example that pages are built against."""

import json
from collections.abc import Iterator
from typing import Any

from tests.harness.source import ROOT

CONTRACT = ROOT / "console" / "contract"
MAY_BE_NULL = {
    *("name", "reason", "reference", "occurred_at", "customer", "expires_at", "next", "committed_at", "kind", "node"),
    *("had_at", "point", "doctor", "lag_ms", "as_of", "since", "looked_back_to", "up"),
}
"""Without a reason beside it: there may be none of it, and that is all there is to say."""

POINT = ".point"
"""Of a chart: what was not known then is a gap in the line."""


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CONTRACT / f"{name}.json").read_text())
    return document


def differences(expected: Any, live: Any, path: str = "") -> Iterator[str]:
    """What is otherwise than in the example: fields, types, numbers that are null without a reason."""
    if isinstance(expected, dict):
        yield from _of_objects(expected, live, path)
    elif isinstance(expected, list):
        if not isinstance(live, list):
            yield f"{path} is no list but {live!r}"
        elif expected:
            for place, item in enumerate(live):
                yield from differences(_like(expected, item), item, f"{path}[{place}]")
    elif expected is not None and live is not None and _kind(expected) != _kind(live):
        yield f"{path} is {live!r}, not as {expected!r}"


def _of_objects(expected: dict[str, Any], live: Any, path: str) -> Iterator[str]:
    if live is None:
        return
    if not isinstance(live, dict):
        yield f"{path} is no object but {live!r}"
        return
    yield from (f"{path}.{name} is missing" for name in expected.keys() - live.keys())
    yield from (f"{path}.{name} stands in no example" for name in live.keys() - expected.keys())
    for name in expected.keys() & live.keys():
        if name == "unknown":
            if not all(isinstance(why, str) and why for why in live[name].values()):
                yield f"{path}.unknown has no reason: {live[name]!r}"
            continue
        unexplained = live[name] is None and expected[name] is not None and name not in MAY_BE_NULL
        if unexplained and POINT not in path and name not in live.get("unknown", {}):
            yield f"{path}.{name} is null, and nothing says why"
        yield from differences(expected[name], live[name], f"{path}.{name}")


def _like(examples: list[Any], item: Any) -> Any:
    """Of examples of several kinds the one of this kind."""
    same = [
        one
        for one in examples
        if isinstance(one, dict) and isinstance(item, dict) and one.get("kind") == item.get("kind")
    ]
    return same[0] if same else examples[0]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, int | float) else type(value).__name__
