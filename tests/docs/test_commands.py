"""What the how-tos tell somebody to type is taken by the command line: its words, arguments, options and values."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer import BadParameter, TyperException
from typer.main import get_command

from stockwire.cli.program import program
from tests.docs.pages import HOW_TOS, blocks, spans_in
from tests.docs.test_names import command_of

ENDS = {";", "|", "||", "&", "&&", ">", ">>", "<", "(", ")"}
"""Of a command, in a shell."""
ASSIGNED = re.compile(r"\w+=")
AT_ONCE = {"--help", "--version", "--install-completion", "--show-completion"}
"""These act while they are read."""


@pytest.mark.parametrize("page", HOW_TOS, ids=lambda page: page.name)
def test_every_command_of_a_how_to_is_taken(page: Path) -> None:
    refused = []
    for words in commands_of(page):
        try:
            read(words)
        except TyperException as error:
            refused.append(f"{shlex.join(words)}: {error}")
    assert not refused


def test_a_command_that_is_not_taken_is_found() -> None:
    for line, said in (
        ("stockwire channel pause --data here", "Missing parameter: identifier"),
        ("cd there && stockwire channel pause web shop", "unexpected extra argument(s) (shop)"),
        ("stockwire channel list web | head -1", "unexpected extra argument(s) (web)"),
        ("stockwire channel set web --buffer two", "'two' is no whole number"),
        ("FROM=here stockwire channel forget web", "No such command 'forget'"),
        ("stockwire channel set web \\\n  --stock 5", "No such option: --stock"),
    ):
        (words,) = commands_in(line)
        with pytest.raises(TyperException) as refused:
            read(words)
        assert said in str(refused.value)


def read(words: list[str]) -> None:
    """As the command line would, and then nothing is done. Raises TyperException."""
    command, left = command_of(root(), words)
    if left and hasattr(command, "commands"):
        raise BadParameter(f"No such command {left[0]!r}.")
    command.make_context("stockwire", left)


@cache
def root() -> Any:
    return get_command(program())


def commands_of(page: Path) -> Iterator[list[str]]:
    """In blocks all; in prose those with more than a command's name."""
    for block in blocks(page):
        if block.language in ("sh", "text"):
            yield from commands_in(block.text)
    for span in spans_in(page):
        if span.startswith("stockwire "):
            yield from (words for words in commands_in(span) if not is_name(words))


def commands_in(text: str) -> Iterator[list[str]]:
    """Words behind ``stockwire``, of each that is run there."""
    for line in text.replace("\\\n", " ").splitlines():
        if "stockwire " not in line:
            continue
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        for at, word in enumerate(words):
            is_begun = at == 0 or words[at - 1] in ENDS or ASSIGNED.match(words[at - 1])
            if is_begun and Path(word).name == "stockwire":
                end = next((at + n for n, one in enumerate(words[at:]) if one in ENDS), len(words))
                if not AT_ONCE & {*words[at:end]}:
                    yield words[at + 1 : end]


def is_name(words: list[str]) -> bool:
    return not command_of(root(), words)[1]
