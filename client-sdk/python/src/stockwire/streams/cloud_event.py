"""A CloudEvent as it stands in a message of a broker: its attributes and its data.

Both content modes are read, whichever the sender chose: binary (attributes in headers) and structured (all in the body,
as JSON). After CloudEvents 1.0.2, its JSON format and its bindings of Kafka, AMQP and NATS.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from stockwire.level import Malformed, fields
from stockwire.streams import debezium
from stockwire.streams.errors import Unreadable

KafkaHeaders = Iterable[tuple[str, bytes | None]] | None
"""As confluent-kafka and aiokafka give them."""

_STRUCTURED = "application/cloudevents"
_AMQP_PREFIXES = ("cloudEvents:", "cloudEvents_")
"""The second is for JMS, whose names may have no colon."""


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """``attributes``: by name, as text; ``data``: what its JSON means."""

    attributes: Mapping[str, str]
    data: object

    @classmethod
    def of_kafka(cls, headers: KafkaHeaders, value: bytes | None) -> "CloudEvent":
        """Also what Debezium wrote, as a relay would have. Raises Unreadable."""
        named = {name.lower(): value for name, value in headers or () if value is not None}
        try:
            told = {name: value.decode() for name, value in named.items() if _is_kafkas(name)}
        except UnicodeDecodeError as error:
            raise Unreadable("headers", f"are no UTF-8: {error}") from None
        if debezium.EPOCH in told and "ce_id" not in told:
            return _of_debezium(told, value)
        content_type = told.pop("content-type", None)
        attributes = {name.removeprefix("ce_"): value for name, value in told.items()}
        return _read(attributes, content_type, value)

    @classmethod
    def of_nats(cls, headers: Mapping[str, str] | None, data: bytes) -> "CloudEvent":
        """Raises Unreadable."""
        named = {name.lower(): value for name, value in (headers or {}).items()}
        try:
            attributes = {
                name.removeprefix("ce-"): _unquoted(value) for name, value in named.items() if name.startswith("ce-")
            }
        except UnicodeDecodeError as error:
            raise Unreadable("headers", f"are no UTF-8: {error}") from None
        content_type = named.get("content-type", attributes.pop("datacontenttype", None))
        return _read(attributes, content_type, data)

    @classmethod
    def of_amqp(
        cls, properties: Mapping[Any, Any] | None, content_type: str | bytes | None, body: bytes
    ) -> "CloudEvent":
        """``properties``: application properties of AMQP 1.0 or headers of 0-9-1. Raises Unreadable."""
        attributes: dict[str, str] = {}
        for name, value in (properties or {}).items():
            for prefix in _AMQP_PREFIXES:
                if (text := _text(name)).startswith(prefix):
                    attributes[text.removeprefix(prefix)] = _text(value)
        return _read(attributes, None if content_type is None else _text(content_type), body)


def _is_kafkas(name: str) -> bool:
    return name in ("content-type", debezium.EPOCH, debezium.SOURCE) or name.startswith("ce_")


def _of_debezium(headers: Mapping[str, str], value: bytes | None) -> CloudEvent:
    source = headers.get(debezium.SOURCE)
    if not source or not headers[debezium.EPOCH]:
        raise Unreadable(debezium.EPOCH if source else debezium.SOURCE, "is missing")
    try:
        event = debezium.event_of(fields(_json("data", value), "data"))
        return CloudEvent(debezium.attributes_of(headers[debezium.EPOCH], source, event), event)
    except Malformed as error:
        raise Unreadable(error.field, error.reason) from None


def _unquoted(value: str) -> str:
    """Percent-decoded once; what is in double quotes, by earlier versions of the binding, without them."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote(value, errors="strict")


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _read(attributes: dict[str, str], content_type: str | None, body: bytes | None) -> CloudEvent:
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == f"{_STRUCTURED}+json" or (not media_type and not attributes):
        return _structured(body)
    if media_type.startswith(_STRUCTURED):
        raise Unreadable("content-type", f"is {content_type!r}: of CloudEvents in a body only JSON is read, one each")
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    _check(attributes)
    return CloudEvent(attributes, _json("data", body))


def _structured(body: bytes | None) -> CloudEvent:
    try:
        members = fields(_json("body", body), "body")
    except Malformed as error:
        raise Unreadable("body", error.reason) from None
    attributes = {name: value for name, value in members.items() if name != "data" and isinstance(value, str)}
    _check(attributes)
    if "data" not in members:
        raise Unreadable("data", "is missing")
    return CloudEvent(attributes, members["data"])


def _check(attributes: Mapping[str, str]) -> None:
    if (version := attributes.get("specversion")) != "1.0":
        raise Unreadable("specversion", "is missing" if version is None else f"is {version!r}, not '1.0'")
    for name in ("id", "source", "type"):
        if not attributes.get(name):
            raise Unreadable(name, "is missing")


def _json(field: str, text: bytes | None) -> object:
    try:
        return orjson.loads(text or b"")
    except orjson.JSONDecodeError as error:
        raise Unreadable(field, f"is no JSON: {error}") from None
