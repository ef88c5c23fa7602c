"""What is told of a command that was decided, as a CloudEvent; and what goes with one that is dead. Pure.

The same command has the same result, byte for byte, however often it is told.
"""

import json

import orjson

from followers.intake.answering import Answer, Problem
from followers.intake.command import Command
from wire.envelope import CONTENT_TYPE, SPEC_VERSION, Attributes, source_of

RESULT = "stockwire.result.v1"
BODY_BYTES_MAX = 900_000
"""Of an answer: Kafka, NATS and their clients take a million bytes by default, with headers."""
PROBLEM_HEADER = "stockwire-problem"
"""Of a message in ``dead``, beside its own: the problem document."""
PROBLEM_CHARACTERS_MAX = 4_096
LEFT_OUT = "left_out"
"""Of the problem document in ``dead``: what the message has no more."""


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
    """``body``: as the ledger answered by HTTP; null where it is larger than brokers take."""
    body = orjson.Fragment(answer.body) if len(answer.body) <= BODY_BYTES_MAX else None
    return orjson.dumps({"status": answer.status, "body": body})


def problem_text(problem: Problem) -> str:
    """For a header: ASCII alone; what is longer than headers should be loses its details.

    >>> problem_text({"type": "invalid", "field": "größe"})
    '{"type": "invalid", "field": "gr\\u00f6\\u00dfe"}'
    """
    text = json.dumps(problem)
    if len(text) <= PROBLEM_CHARACTERS_MAX:
        return text
    kept = ("type", "title", "status", LEFT_OUT)
    return json.dumps({name: str(problem[name])[:100] for name in kept if name in problem})


def problem_alone(text: str, body: bytes) -> str:
    """Of a dead message that is above the broker's limit with this header beside what came: the same, without the body.

    >>> problem_alone('{"type": "invalid"}', b"{}")
    '{"type": "invalid", "left_out": "the body, of 2 bytes: with this header it is above the limit of the broker"}'
    """
    said = f"the body, of {len(body):,} bytes: with this header it is above the limit of the broker"
    return problem_text({**json.loads(text), LEFT_OUT: said})
