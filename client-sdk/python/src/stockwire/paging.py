"""Reading answers into typed values, and listings page by page."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from stockwire.answer import Answer
from stockwire.errors import UnexpectedAnswer
from stockwire.level import Malformed
from stockwire.request import Request
from stockwire.transport import AsyncTransport

T = TypeVar("T")


async def pages(
    transport: AsyncTransport,
    page: Callable[[str | None], Request],
    field: str,
    parse: Callable[[Any], T],
    after: str | None = None,
) -> AsyncIterator[T]:
    """Every thing of a listing, or those ``after`` one. The next page is fetched when the last one has been used up."""
    while True:
        document, answer = await transport.call(page(after))
        for thing in parse_list(document, field, parse, answer):
            yield thing
        following = document.get("next")
        if following is None:
            return
        if str(following) == after:  # would fetch the same page for ever
            raise UnexpectedAnswer(f"the listing does not move on from {after!r}", answer.status)
        after = str(following)  # opaque: text in some listings, a number in others


def parse_list(document: dict[str, Any], field: str, parse: Callable[[Any], T], answer: Answer) -> list[T]:
    """Raises UnexpectedAnswer."""
    rows = document.get(field)
    if not isinstance(rows, list):
        raise UnexpectedAnswer(f"the answer has no list {field}", answer.status)
    return [parsed(row, parse, answer) for row in rows]


def parsed(data: Any, parse: Callable[[Any], T], answer: Answer) -> T:
    """Raises UnexpectedAnswer."""
    try:
        return parse(data)
    except (Malformed, AttributeError) as error:
        raise UnexpectedAnswer(f"the answer cannot be read: {error}", answer.status) from error
