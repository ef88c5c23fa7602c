"""A line of the log is one JSON object, whatever is logged, and shows no secret."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import console.__main__ as console
import followers.__main__ as followers
import followers.exporter.__main__ as exporter
import hub.__main__ as hub
import ledger.__main__ as ledger
from server.log import (
    FIELD_CHARACTERS_MAX,
    FIELDS_MAX,
    JSON,
    LINE_BYTES_MAX,
    LOG_FORMAT,
    STACK_CHARACTERS_MAX,
    JsonLines,
    TextLines,
    log_form,
    without_secrets,
)
from server.settings.environment import EXIT_CONFIG, SettingsError
from server.tracing.span import Span, SpanKind
from server.tracing.tracing import within
from tests.harness.source import ROOT

AT = datetime(2026, 11, 30, 11, 20, 32, 123456, UTC)
SECRET = "x7" * 20


def record_of(name: str, message: object, arguments: tuple[object, ...] = (), error: Any = None) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.WARNING, "file.py", 1, message, arguments, error)
    record.created = AT.timestamp()
    return record


def told(name: str, message: object, *arguments: object, error: BaseException | None = None) -> dict[str, Any]:
    info = (type(error), error, error.__traceback__) if error else None
    line = JsonLines().format(record_of(name, message, arguments, info))
    assert "\n" not in line
    assert len(line.encode()) <= LINE_BYTES_MAX
    found: dict[str, Any] = json.loads(line)
    return found


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001  with its traceback
        return caught


def test_an_object_has_the_event_of_the_words_and_the_fields_of_the_values() -> None:
    assert told("hub.feed", "following the ledger, at last epoch=%s shards=%d", "b2x-7", 8) == {
        "time": "2026-11-30T11:20:32.123Z",
        "level": "warning",
        "logger": "hub.feed",
        "event": "following_the_ledger_at_last",
        "fields": {"epoch": "b2x-7", "shards": 8},
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7, 7),
        (None, None),
        (True, True),
        (0.25, 0.25),
        (float("nan"), "nan"),
        (2**64, str(2**64)),
        ("it's", "it's"),
        (ValueError("no"), "ValueError('no')"),
        ({"a": 1}, "{'a': 1}"),
        ((1, 2), "(1, 2)"),
        ("\udc80", "\\udc80"),
    ],
    ids=repr,
)
def test_numbers_stay_numbers_and_all_else_is_text_that_json_has(value: object, shown: object) -> None:
    assert told("hub", "words value=%r", value)["fields"] == {"value": shown}


@pytest.mark.parametrize(
    ("name", "message", "arguments"),
    [
        ("uvicorn.error", "words value=%s", ("a",)),
        ("hub", "Words: %s", ("a",)),
        ("hub", "words value=%s", ()),
        ("asyncio", {"not": "text"}, ()),
        ("hub", "words value=%d more=%d", ("a", 1, 2)),
    ],
)
def test_what_is_not_of_our_form_comes_out_whole_as_other(
    name: str, message: object, arguments: tuple[object, ...]
) -> None:
    found = told(name, message, *arguments)
    assert found["event"] == "other"
    assert list(found["fields"]) == ["message"]


def test_a_line_says_of_which_trace_it_is_where_there_is_one() -> None:
    span = Span("POST", SpanKind.SERVER, 1)
    with within(span):
        assert told("hub", "words")["trace_id"] == span.trace.trace_id
    assert "trace_id" not in told("hub", "words")


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("and this too")

    __str__ = __repr__


class BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("nor this")


def test_what_cannot_be_shown_costs_its_own_text_and_not_the_line() -> None:
    found = told("hub", "words value=%s other=%d", Broken(), 1, error=raised(BrokenError()))
    assert found["fields"] == {"value": "(cannot be shown: RuntimeError)", "other": 1}
    assert found["exception"]["message"] == "(cannot be shown: RuntimeError)"


def test_an_exception_is_fields_of_the_same_line() -> None:
    found = told("hub", "a connection has failed", error=raised(ValueError("two\nlines")))["exception"]
    assert (found["type"], found["message"]) == ("ValueError", "two\nlines")
    assert found["stack"].startswith("Traceback (most recent call last):\n")
    assert found["stack"].endswith("ValueError: two\nlines\n")


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    found = told("hub", "words value=%s", "a" * 5_000, error=raised(ValueError("b" * 20_000)))
    assert found["fields"]["value"] == "a" * FIELD_CHARACTERS_MAX + "… (5000 characters)"
    assert found["exception"]["message"] == "b" * FIELD_CHARACTERS_MAX + "… (20000 characters)"
    assert found["exception"]["stack"].endswith("b" * (STACK_CHARACTERS_MAX - 1) + "\n")


def test_the_longest_line_that_there_can_be_fits() -> None:
    """Control characters take six bytes each in JSON."""
    message = "words " + " ".join(f"field_{number}=%s" for number in range(FIELDS_MAX))
    found = told("hub", message, *["\0" * 2_000] * FIELDS_MAX, error=raised(ValueError("\0" * 20_000)))
    assert [len(value) > 100 for value in found["fields"].values()] == [True] * FIELDS_MAX
    assert found["event"] == "words"


@given(st.text(), st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()), st.text())
def test_whatever_is_logged_is_one_object_of_one_line(name: str, value: object, message: str) -> None:
    assert told(name, "words value=%r", value)["event"] in ("words", "other")
    assert told("hub", message, value)["event"] != ""
    assert told("hub", "words value=%s", message, error=raised(ValueError(message)))["event"] == "words"


SECRETS = {
    f"key sw_abcdefghij12_{SECRET} is not good": "key sw_abcdefghij12_… is not good",
    f"redis://user:{SECRET}@h:1/0 is away": "redis://user:…@h:1/0 is away",
    f"rediss://:{SECRET}@h": "rediss://:…@h",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.{SECRET}": "eyJhbGciOiJIUzI1NiJ9.…",
    f"'whsec_{SECRET}=='": "'whsec_…'",
    "https://shop.example:8443/a?b=c@d at 12:30": "https://shop.example:8443/a?b=c@d at 12:30",
}


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_that_a_library_quotes_is_cut_out_in_both_forms(text: str) -> None:
    assert without_secrets(text) == SECRETS[text]
    found = told("hub", "words reason=%s", text, error=raised(ValueError(text)))
    assert found["fields"]["reason"] == found["exception"]["message"] == SECRETS[text]
    assert SECRET not in found["exception"]["stack"]
    assert SECRET not in TextLines(LOG_FORMAT).format(record_of("asyncio", "%s", (text,)))


def test_a_text_that_was_made_to_be_slow_is_looked_at_in_time() -> None:
    """No part of what is looked for may begin everywhere and go on for ever: that would take minutes."""
    for part in ("eyJ-", "eyJ.", "a-", "a://b:", "sw_abcdefghij12_", "whsec_"):
        without_secrets((part * 200_000)[:200_000])


def test_a_secret_that_a_cut_goes_through_is_cut_out_too() -> None:
    text = "a" * (FIELD_CHARACTERS_MAX - 20) + f" redis://user:{SECRET}@h"
    assert "x7" not in told("hub", "words reason=%s", text)["fields"]["reason"]
    ends = f"redis://user:{SECRET}@h" + "a" * (STACK_CHARACTERS_MAX - 20)
    assert "x7" not in told("hub", "words", error=raised(ValueError(ends)))["exception"]["stack"]


@pytest.mark.parametrize(
    ("variables", "form"), [({}, "text"), ({"STOCKWIRE_LOG": ""}, "text"), ({"STOCKWIRE_LOG": JSON}, JSON)]
)
def test_the_log_is_text_unless_it_is_set(variables: Mapping[str, str], form: str) -> None:
    assert log_form(variables) == form


def test_another_form_is_refused_with_the_fix() -> None:
    with pytest.raises(SettingsError, match="STOCKWIRE_LOG='yaml' is neither: set it to text or json"):
        log_form({"STOCKWIRE_LOG": "yaml"})


@pytest.mark.parametrize("main", [ledger.main, hub.main, followers.main, exporter.main, console.main])
def test_every_process_refuses_a_form_that_there_is_not(
    main: Callable[[], int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKWIRE_LOG", "yaml")
    assert main() == EXIT_CONFIG
    assert capsys.readouterr().err == "stockwire: STOCKWIRE_LOG='yaml' is neither: set it to text or json\n"


PROGRAM = """
import threading, warnings
from server.log import log_to_stderr
log_to_stderr("json")
warnings.warn("an old way")
def fail(): raise LookupError("in a thread")
thread = threading.Thread(target=fail, name="worker 3")
thread.start()
thread.join()
class Bad:
    def __del__(self): raise KeyError("while it is thrown away")
Bad()
raise ExceptionGroup("many", [ValueError("one")])
"""


@pytest.mark.usefixtures("processes")
def test_what_nobody_catches_is_a_line_of_the_log_too() -> None:
    """A traceback among objects is as many lines that no machine can read."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stdout) == (1, "")
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["logger"], line["event"], line.get("exception", {}).get("type")) for line in lines] == [
        ("py.warnings", "other", None),
        ("server.log", "a_thread_has_failed", "LookupError"),
        ("server.log", "an_error_could_not_be_raised", "KeyError"),
        ("server.log", "the_process_ends_nobody_expected_this_error", "ExceptionGroup"),
    ]
    assert lines[1]["fields"] == {"thread": "worker 3"}
    assert "ValueError: one" in lines[3]["exception"]["stack"]
