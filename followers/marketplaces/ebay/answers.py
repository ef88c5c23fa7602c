"""eBay's answers as they are read: in the shapes that it documents, or not at all; its errors in its words."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from followers.marketplaces.ebay.shapes import Error, Errors
from followers.marketplaces.errors import RemoteAway
from followers.marketplaces.remote import Answer

WORDS_MAX = 500
T = TypeVar("T")


def read(answer: Answer, shape: type[T]) -> T:
    """Raises RemoteAway for what eBay does not document: a page, another shape, errors under a good status."""
    content = answer.json()
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        said = words_of(answer)
        raise RemoteAway(f"answers {answer.status} with {said or 'what is not documented'} ({error})") from None


def errors_of(answer: Answer) -> Sequence[Error]:
    """Of a whole call; none if they cannot be read."""
    try:
        return msgspec.convert(answer.json(), Errors).errors
    except (RemoteAway, msgspec.ValidationError):
        return ()


def words_of(answer: Answer) -> str:
    return words(errors_of(answer)) or ""


def words(errors: Sequence[Error]) -> str:
    """eBay's own, with its numbers."""
    said = [f"{one.long_message or one.message} ({one.error_id})" for one in errors]
    return "; ".join(said)[:WORDS_MAX]
