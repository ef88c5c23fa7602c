"""Only the verb that is run is built, since all of them take a while. What it is must not change by that."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from typer.main import get_command

from stockwire.cli.program import OWN, program, verbs_of

GROUPS = [name for name in OWN if name != "watch"]


def commands(*verbs: str) -> dict[str, Any]:
    """What stands below the first of them, by name."""
    built: Any = get_command(program(*verbs))
    assert list(built.commands) == [verbs[0]]
    below: dict[str, Any] = built.commands[verbs[0]].commands
    return below


def shape(command: Any) -> Iterator[tuple[object, ...]]:
    yield command.name, command.help, command.context_settings, command.no_args_is_help
    for parameter in command.params:
        yield parameter.name, parameter.opts, parameter.required, parameter.default, parameter.help


@pytest.mark.parametrize("group", GROUPS)
def test_a_verb_built_alone_is_what_it_is_among_all(group: str) -> None:
    everything = commands(group)
    assert len(everything) > 1
    for name, command in everything.items():
        alone = commands(group, name)
        assert list(alone) == [name]
        assert list(shape(alone[name])) == list(shape(command))


@pytest.mark.parametrize("word", ["--help", "gte", ""])
def test_what_is_no_verb_of_a_group_is_answered_by_the_whole_group(word: str) -> None:
    assert set(commands("stock", word)) == set(commands("stock"))


@pytest.mark.parametrize(
    ("words", "verbs"),
    [
        ("stockwire", ()),
        ("stockwire --help", ()),
        ("stockwire key list", ()),
        ("stockwire stock", ("stock",)),
        ("stockwire stock get", ("stock", "get")),
        ("stockwire stock get A-100 berlin --json", ("stock", "get")),
    ],
)
def test_the_verb_that_is_run(words: str, verbs: Sequence[str]) -> None:
    assert tuple(verbs_of(words.split(), {})) == verbs


@pytest.mark.parametrize(
    ("typed", "verbs"),
    [
        ("stockwire ", ()),
        ("stockwire sto", ()),
        ("stockwire stock", ()),
        ("stockwire stock ge", ("stock",)),
        ("stockwire stock get", ("stock",)),
        ("stockwire stock get A-1", ("stock", "get")),
    ],
)
@pytest.mark.parametrize("variable", ["COMP_WORDS", "_TYPER_COMPLETE_ARGS"])
def test_a_verb_that_is_still_being_typed_is_not_taken_for_what_it_begins_with(
    variable: str, typed: str, verbs: Sequence[str]
) -> None:
    asked = {"_STOCKWIRE_COMPLETE": "complete_bash", variable: typed}
    assert tuple(verbs_of(["stockwire"], asked)) == verbs
