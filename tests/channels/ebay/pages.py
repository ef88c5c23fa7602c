"""Answers, and lists that follow each other by a token, as the Notification API has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.channels.ebay.errors import Refused

NOTIFICATION = "/commerce/notification/v1"
PAGE, PAGE_MIN, PAGE_MAX = 20, 10, 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a call. 201: ``body`` has the ``location``."""

    status: int
    body: dict[str, Any]


def by_token(query: Mapping[str, str], what: str, every: list[dict[str, Any]]) -> Outcome:
    """A page of ``every``; its token is how many came before."""
    limit, start = query.get("limit", str(PAGE)), query.get("continuation_token", "0")
    if not (limit.isdecimal() and PAGE_MIN <= int(limit) <= PAGE_MAX and start.isdecimal()):
        raise Refused(400, 195004, "notices.limit")
    end = int(start) + int(limit)
    path = f"{NOTIFICATION}/{what}?limit={limit}&continuation_token="
    body = {"href": f"{path}{start}", "total": len(every), "limit": int(limit), f"{what}s": every[int(start) : end]}
    if end < len(every):
        body["next"] = f"{path}{end}"
    return Outcome(200, body)
