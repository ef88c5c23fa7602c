"""What a channel says is shown on a terminal, and says nothing to it."""

import pytest

from cli import reconcile_channel
from stockwire.cli.columns import printable

ESCAPES = "\x1b]0;owned\x07\x1b[2Jmug\r\n"


def test_the_words_of_a_channel_move_no_cursor() -> None:
    shown = printable(f"41  {ESCAPES}")
    assert shown.isprintable()
    assert "mug" in shown


def test_what_differs_is_shown_so(capsys: pytest.CaptureFixture[str]) -> None:
    drift = {"id": 1, "class": "unknown-here", "listing": ESCAPES, "sku": None, "ours": None, "theirs": 4}
    run = {"compared": 1, "repairs": False, "repaired": 0, "stopped": None}
    reconcile_channel.show(run, [{**drift, "cause": ESCAPES, "repair": None}], as_json=False)
    said = capsys.readouterr().out.splitlines()
    assert [line.isprintable() for line in said] == [True, True]
