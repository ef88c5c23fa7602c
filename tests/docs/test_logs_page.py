"""Every line that a process may log stands in docs/reference/logs.md, and nothing else does."""

import pytest

from server.log import FIELD_CHARACTERS_MAX, FIELDS_MAX, LINE_BYTES_MAX, OTHER, STACK_CHARACTERS_MAX, named_event
from tests.harness.log_calls import LogCall, log_calls
from tests.harness.source import REFERENCE, code_names, module_name, rows, section

SECTIONS = {
    "server": "Every process",
    "ledger": "Ledger",
    "hub": "Hub",
    "followers": "Channels",
    "followers.exporter": "Exporter",
    "followers.relay": "Relay",
    "followers.intake": "Intake",
    "console": "Console",
    "cli": "stockwire up",
    "stockwire": "The Python client",
}
PAGE = (REFERENCE / "logs.md").read_text()
CALLS = list(log_calls())

Told = dict[str, tuple[set[str], list[str]]]
"""Of each event its levels and its fields."""


def section_of(call: LogCall) -> str:
    parts = module_name(call.path).split(".")
    return SECTIONS.get(".".join(parts[:2])) or SECTIONS[parts[0]]


def test_what_is_logged_is_words_and_then_fields() -> None:
    """Else it would be no event: text around values has no name, and no field."""
    assert len(CALLS) > 100, "the calls are not found"
    for call in CALLS:
        named = named_event(call.message)
        assert named is not None, f"{call.place}: {call.message!r} is not of the form 'words field=%s other=%d'"
        event, fields = named
        assert len(fields) == len(call.arguments), f"{call.place}: {len(call.arguments)} values for {list(fields)}"
        assert len(fields) <= FIELDS_MAX, f"{call.place}: more than {FIELDS_MAX} fields may not fit into a line"
        assert event != OTHER
        assert set(call.options) <= {"exc_info"}, f"{call.place}: {call.options} are not shown"


@pytest.mark.parametrize("title", SECTIONS.values())
def test_the_page_has_every_event_with_its_level_and_its_fields(title: str) -> None:
    logged: Told = {}
    for call in CALLS:
        if section_of(call) == title and (named := named_event(call.message)):
            event, fields = named[0], list(named[1])
            levels, before = logged.setdefault(event, (set(), fields))
            assert fields == before, f"{call.place}: {event} has the fields {before} elsewhere"
            levels.add({"exception": "error"}.get(call.level, call.level))
    described: Told = {
        code_names(row[0])[0]: (set(row[1].split(", ")), code_names(row[2]))
        for row in rows(section(PAGE, title), "Event")
    }
    assert described == logged


def test_the_page_says_the_bounds_of_a_line() -> None:
    said = " ".join(PAGE.split())
    assert f"at most {LINE_BYTES_MAX:,} bytes" in said
    assert f"more than {FIELD_CHARACTERS_MAX:,} characters (a stack: {STACK_CHARACTERS_MAX:,}, its end)" in said
