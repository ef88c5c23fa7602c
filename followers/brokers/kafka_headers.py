"""Headers of a record of Kafka, which anybody may have written."""

from operator import methodcaller
from typing import Any

from confluent_kafka import Message

Headers = list[tuple[str, bytes | None]]
_ASK_HEADERS = methodcaller("headers")


def headers_of(message: Message) -> Headers | None:
    """None where a name is no UTF-8. To be asked once: what the client gives then at the second time ends the
    process. And by a call of which Python checks the answer: it does not where it has made a method's call faster."""
    try:
        headers: Any = _ASK_HEADERS(message)
    except SystemError:
        return None
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in headers or ()]
