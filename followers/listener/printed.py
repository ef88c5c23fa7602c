"""One message of a relay as one line: the CloudEvent in its JSON form, however it was sent. Pure."""

from collections.abc import Mapping

import orjson

from wire.envelope import structured

_STRUCTURED = "application/cloudevents+json"


def line_of(headers: Mapping[str, str], prefix: str, body: bytes) -> bytes:
    """``headers``: also the content type, by that name. ``prefix``: of those that are attributes.

    >>> line_of({"Content-Type": "application/json", "ce-id": "e1.0.7"}, "ce-", b'{"on_hand":3}')
    b'{"id":"e1.0.7","datacontenttype":"application/json","data":{"on_hand":3}}'
    >>> line_of({}, "ce-", b"no JSON")
    b'{"unreadable":"no JSON"}'
    """
    try:
        data = orjson.loads(body)
    except ValueError:
        return unreadable(body)
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if content_type.startswith(_STRUCTURED):
        return orjson.dumps(data)
    attributes = {name.removeprefix(prefix): value for name, value in headers.items() if name.startswith(prefix)}
    return structured(attributes | ({"datacontenttype": content_type} if content_type else {}), body)


def unreadable(body: bytes) -> bytes:
    """Of what is no message of a relay."""
    return orjson.dumps({"unreadable": body.decode(errors="replace")})
