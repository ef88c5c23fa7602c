"""What is told of a command that was decided, as a CloudEvent. Pure.

The same command has the same result, byte for byte, however often it is told.
"""

from http import HTTPStatus

import orjson

from followers.intake.answering import Answer
from followers.intake.command import Command
from wire.envelope import CONTENT_TYPE, SPEC_VERSION, Attributes, source_of

RESULT = "stockwire.result.v1"
SORTED = orjson.OPT_SORT_KEYS
BODY_BYTES_MAX = 900_000
"""Of an answer: Kafka, NATS and their clients take a million bytes by default, with headers."""


def attributes_of(command: Command, system: str) -> Attributes:
    """``id``: the Idempotency-Key, so that a repeat is known by it."""
    attributes = {
        "specversion": SPEC_VERSION,
        "id": command.key,
        "source": source_of(system),
        "type": RESULT,
        "datacontenttype": CONTENT_TYPE,
        "causationid": command.id,
        "causationsource": command.source,
    }
    if command.correlation is not None:
        attributes["correlationid"] = command.correlation
    return attributes


def data_of(answer: Answer) -> bytes:
    """``body``: as the ledger answered by HTTP; null where it is larger than brokers take.

    A refusal that a ledger has kept comes back with its names in another order: here they are always sorted.
    """
    body = None
    if len(answer.body) <= BODY_BYTES_MAX:
        done = answer.status < HTTPStatus.MULTIPLE_CHOICES
        body = orjson.Fragment(answer.body if done else orjson.dumps(orjson.loads(answer.body), option=SORTED))
    return orjson.dumps({"status": answer.status, "body": body})
