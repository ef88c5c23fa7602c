"""What can be done from the console: drain and undrain a hub; in `up` also what its keys do."""

from collections.abc import Mapping
from typing import Any

import httpx

from console.following.control import ControlAway
from console.topics.arguments import Arguments
from console.topics.watch import Watch
from server.problems import Invalid, NotFound, Overloaded, Unavailable

HUB_ACTS = {
    "drain": "{name} drains: it sends its clients elsewhere and takes no more",
    "undrain": "{name} takes clients again",
}
UP_ACTS = ("flash-sale", "kill-hub", "cut-broker")
_TAKEN = 202


def acts_of(watch: Watch) -> tuple[str, ...]:
    return (*HUB_ACTS, *(UP_ACTS if watch.control.of_up else ()))


async def act(watch: Watch, what: str, body: object) -> Mapping[str, Any]:
    """Raises NotFound, Invalid, Unavailable, Overloaded."""
    if what not in acts_of(watch):
        raise NotFound("act", what[:64])
    arguments = Arguments(body)
    if what in HUB_ACTS:
        name = arguments.text("node")
        arguments.done()
        return {"said": await _at_hub(watch, what, name)}
    arguments.done()
    try:
        answer = await watch.control.ask({"ask": "act", "what": what})
    except ControlAway as error:
        raise Unavailable(str(error)) from error
    if refused := answer.get("refused"):
        raise Overloaded(str(refused))
    return {"said": str(answer.get("said", ""))}


async def _at_hub(watch: Watch, what: str, name: str) -> str:
    found = watch.nodes.by_name(name)
    if found is None:
        raise NotFound("node", name)
    node, watched = found
    if watched.kind != "hub":
        raise Invalid("node", "only a hub that answers can be drained")
    try:
        status = await watch.nodes.act(node, what)
    except httpx.HTTPError as error:
        raise Unavailable(f"{name} does not answer ({error or type(error).__name__})") from error
    if status != _TAKEN:
        raise Unavailable(f"{name} answers {status} to {what}")
    return HUB_ACTS[what].format(name=name)
