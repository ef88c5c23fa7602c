"""Reading our Markdown pages: fenced blocks with what their info string says, code, links.

A fenced block's info string is its language and then words for the tests of this folder:

    ```sh run NAME       run by bash in the terminal NAME: what it exports stays there
    ```sh open NAME      run there until the page ends, or the next block of this kind takes its place
    ```js run NAME       as ``sh open``, by node
    ```text output NAME  the last lines that the last ``run NAME`` printed, or lines that the program open there prints;
                         of ```json what it means is compared
    ```csv file PATH     a file that the next block finds there; a program, too: ```python file PATH
    ```python run NAME   a program that a test runs by this name
    ```python example    a piece of a program, which does nothing as it stands
    ```sh env PROCESS    settings of a process, one to a line
    ```text capture NAME what a command showed in a terminal: see `tests/docs/captures.py`
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.harness.source import ROOT

HOW_TOS = sorted((ROOT / "docs" / "how-to").glob("*.md"))
SKIPPED = {".venv", ".git", ".stockwire", ".pytest_cache", ".ruff_cache", ".mypy_cache", "node_modules"}

_FENCE = re.compile(r"^```(\S+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:^|(?<=\n\n))((?:    [^\n]*\n+)+)", re.MULTILINE)
WATCHES = {"python": re.compile(r"\.subscribe(_\w+)?\("), "js": re.compile(r"\bWebSocket\(|\.watch\(")}
BROKERS = re.compile(r"^(?:import|from) (?:confluent_kafka|nats|aio_pika|rstream)\b", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """``verb`` and ``name`` are empty for a block that is only shown."""

    page: Path
    language: str
    verb: str
    name: str
    text: str


def pages() -> list[Path]:
    """Every Markdown page that is ours."""
    found = []
    for folder, below, files in os.walk(ROOT):
        below[:] = set(below) - SKIPPED
        found += [Path(folder, file) for file in files if file.endswith(".md")]
    return sorted(found)


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, name: str | None = None, below: str | None = None) -> list[Block]:
    """The fenced blocks in order; with ``name`` only those of that name, ``below`` those of a section (``## 2.``)."""
    found = []
    page_text = text_of(page) if below is None else _section(text_of(page), below)
    for language, words, text in _FENCE.findall(page_text):
        verb, _, of = words.strip().partition(" ")
        if name is None or of == name:
            found.append(Block(page, language, verb, of, text))
    return found


def _section(text: str, heading: str) -> str:
    """From the line that begins with ``heading`` to the next heading of its kind."""
    _, found, rest = text.partition(f"\n{heading}")
    assert found, heading
    return rest.partition("\n## ")[0]


def watching_blocks() -> list[Block]:
    """Every program on a page that is ours which watches stock at a hub: a new one is here by itself. What reads a
    broker is none."""
    found = [found for page in pages() for found in blocks(page) if found.language in WATCHES]
    return [found for found in found if WATCHES[found.language].search(found.text) and not BROKERS.search(found.text)]


def block(page: Path, language: str, name: str, nth: int = 0) -> str:
    """The text of the ``nth`` block of this language and name."""
    return [found.text for found in blocks(page, name) if found.language == language][nth]


def code_in(page: Path) -> Iterator[str]:
    """Code of every kind, by line: fenced, indented, and spans in prose."""
    text = text_of(page)
    for _, _, fenced in _FENCE.findall(text):
        yield from fenced.splitlines()
    for indented in _INDENTED.findall(_FENCE.sub("", text)):
        yield from indented.splitlines()
    yield from spans_in(page)


def spans_in(page: Path) -> list[str]:
    """Code in sentences."""
    return _SPAN.findall(_FENCE.sub("", text_of(page)))


def links_in(page: Path) -> list[str]:
    return _LINK.findall(_FENCE.sub("", text_of(page)))


def anchors_of(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
