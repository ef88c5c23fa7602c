"""Run with an older release's code: what its hub and its client make of today's golden vectors, and cannot read.

Takes the vectors as JSON on standard input: lists by ``broker`` and ``hub-to-client``.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from stockwire import frame
from stockwire.kind import LEVELS, PUBLIC, thresholds
from stockwire.level import Malformed
from stockwire.threshold import AtLeast
from wire import messages

KINDS: tuple[Any, ...] = (LEVELS, PUBLIC, thresholds(AtLeast(1), public=False))


def bytes_of(vector: dict[str, Any]) -> bytes:
    if "hex" in vector:
        return bytes.fromhex(vector["hex"])
    return str(vector["text"]).encode() if "text" in vector else json.dumps(vector["message"]).encode()


def unread_by_hub(vectors: list[dict[str, Any]]) -> Iterator[str]:
    for vector in vectors:
        decode = messages.decode_revocation if vector["type"] == "revocation" else messages.decode_batch
        try:
            decode(bytes_of(vector))
        except msgspec.MsgspecError as error:
            yield f"hub: {vector['name']}: {error}"


def unread_by_client(vectors: list[dict[str, Any]]) -> Iterator[str]:
    """On whatever it is subscribed to: a message that is meant for another kind is not for it."""
    for vector in vectors:
        asked_by = [kind for kind in KINDS if kind.part in vector.get("message", {})] or KINDS
        for kind in asked_by:
            try:
                frame.parse(bytes_of(vector), kind)
            except Malformed as error:
                yield f"client: {vector['name']}: {error}"


def main() -> None:
    vectors = json.load(sys.stdin)
    unread = [*unread_by_hub(vectors["broker"]), *unread_by_client(vectors["hub-to-client"])]
    json.dump({"code": messages.__file__, "unread": unread}, sys.stdout)


if __name__ == "__main__":
    main()
