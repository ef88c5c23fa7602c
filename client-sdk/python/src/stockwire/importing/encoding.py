"""Bytes as text: what a byte order mark says, else what the bytes allow. Never a guess in silence. Pure."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

from stockwire.importing.errors import UnreadableFile

LOST = "\ufffd"
"""Stands for bytes that are no character; no sku or number may hold it."""
_SAMPLE_BYTES = 4096
_MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_WIDE = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_FALLBACK = "windows-1252"


@dataclass(frozen=True, slots=True)
class Decoded:
    """``reading``: what to say about it, empty where there is nothing to say. ``text`` has line ends of one kind."""

    text: str
    encoding: str
    reading: str


def decode(content: bytes, told: str | None) -> Decoded:
    """Raises UnreadableFile."""
    if content.startswith(_WIDE):
        raise UnreadableFile("the file is UTF-32: save it as UTF-8")
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    if told is not None:
        return _told(content, told, mark)
    if mark:
        return _marked(content[len(mark) :], _MARKS[mark])
    wide = _utf_16_by_zeros(content[:_SAMPLE_BYTES])
    if wide:
        return Decoded(_ends(content.decode(wide, "replace")), wide, f"encoding {wide}, by its zero bytes")
    try:
        return Decoded(_ends(content.decode("utf-8")), "utf-8", "")
    except UnicodeDecodeError:
        return _by_line(content)


def _told(content: bytes, told: str, mark: bytes) -> Decoded:
    """A mark may stand before a text whose encoding was told; ``utf-16`` without one is little-endian, as Excel's."""
    name = codecs.lookup(told).name
    if name == "utf-16":
        name = (
            _MARKS[mark]
            if mark and mark != codecs.BOM_UTF8
            else _utf_16_by_zeros(content[:_SAMPLE_BYTES]) or "utf-16-le"
        )
    if mark and name.startswith(_MARKS[mark][: len("utf-8")]):
        content = content[len(mark) :]
    try:
        text = content.decode(name, "replace")
    except UnicodeError:
        raise UnreadableFile(f"the file cannot be read as --encoding {told}") from None
    lost = text.count(LOST)
    said = f"encoding {told}, as told" + (f"; characters that could not be read in it: {lost}" if lost else "")
    return Decoded(_ends(text), told, said)


def _marked(content: bytes, name: str) -> Decoded:
    try:
        return Decoded(_ends(content.decode(name)), name, f"encoding {name}, by its byte order mark")
    except UnicodeDecodeError:
        if name == "utf-8":
            return _by_line(content)
        return Decoded(
            _ends(content.decode(name, "replace")), name, f"encoding {name}, by its byte order mark; damaged"
        )


def _by_line(content: bytes) -> Decoded:
    """A file that two programs wrote is UTF-8 in some lines only; the others are taken as Windows-1252."""
    texts: list[str] = []
    foreign, wide = 0, 0
    for line in content.split(b"\n"):
        try:
            texts.append(line.decode("utf-8"))
            wide += not line.isascii()
        except UnicodeDecodeError:
            texts.append(line.decode(_FALLBACK, "replace"))
            foreign += 1
    said = f"encoding {_FALLBACK}, since lines that are no UTF-8: {foreign} (--encoding says otherwise)"
    if wide:
        said = f"encoding UTF-8 (lines: {wide}) and {_FALLBACK} (lines: {foreign}); --encoding says otherwise"
    return Decoded(_ends("\n".join(texts)), "utf-8" if wide else _FALLBACK, said)


def _utf_16_by_zeros(sample: bytes) -> str | None:
    """In a table of UTF-16 nearly every second byte is 0: separators, digits and spaces are ASCII."""
    half = max(len(sample) // 2, 1)
    if sample[1::2].count(0) > half // 3 and sample[::2].count(0) < half // 20 + 1:
        return "utf-16-le"
    if sample[::2].count(0) > half // 3 and sample[1::2].count(0) < half // 20 + 1:
        return "utf-16-be"
    return None


def _ends(text: str) -> str:
    """Line ends as one character, also those of old Macs, which have no line feed at all."""
    text = text.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")
