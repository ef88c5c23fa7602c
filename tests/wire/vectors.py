"""Reading wire/vectors, as an implementer would: see the README.md there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "wire" / "vectors"


@dataclass(frozen=True)
class Vector:
    """``data``: the bytes on the wire. ``decoded``: the fields after decoding. ``encoded``: what a sender writes."""

    file: str
    name: str
    type: str
    data: bytes
    decoded: dict[str, Any]
    encoded: dict[str, Any]

    def __str__(self) -> str:
        return self.name


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text())
    return content


def vectors(name: str) -> list[Vector]:
    return [_vector(name, entry) for entry in load(name)["vectors"]]


def _vector(file: str, entry: dict[str, Any]) -> Vector:
    message = entry.get("message")
    fields = {key: value for key, value in message.items() if key != "type"} if isinstance(message, dict) else {}
    return Vector(
        file=file,
        name=entry["name"],
        type=entry.get("type", ""),
        data=_data(entry),
        decoded=entry.get("decoded", fields),
        encoded=entry.get("encoded", message if isinstance(message, dict) else {}),
    )


def _data(entry: dict[str, Any]) -> bytes:
    if "hex" in entry:
        return bytes.fromhex(entry["hex"])
    if "text" in entry:
        return str(entry["text"]).encode()
    return json.dumps(entry["message"], ensure_ascii=False).encode()
