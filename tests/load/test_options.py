"""The options of `make load` and their page say the same."""

import configargparse
import pytest

from tests.harness.source import ROOT, code_names, rows
from tests.load.options import add_options, hubs_of

PAGE = ROOT / "docs" / "how-to" / "load-test.md"


def parser() -> configargparse.ArgumentParser:
    """As locust's: a variable of the environment for each option."""
    parser = configargparse.ArgumentParser()
    add_options(parser)
    return parser


def launch_options() -> dict[str, tuple[str, str]]:
    """Default and variable of each."""
    return {
        action.option_strings[0]: (f"{action.default:g}" if action.default else "", action.env_var)
        for action in parser()._actions
        if action.dest != "help"
    }


def test_the_options_are_described_with_their_variables_and_defaults() -> None:
    described = {code_names(row[0])[0]: (row[2], code_names(row[1])[0]) for row in rows(PAGE.read_text(), "Option")}
    assert described == launch_options()


@pytest.mark.parametrize("wrong", [["--users-peak", "3"], ["--minutes", "61"], ["--skus", "1"], ["--quiet-s", "soon"]])
def test_a_senseless_value_is_refused_at_the_start(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_hubs_are_named_with_commas_between() -> None:
    assert hubs_of(parser().parse_args(["--hubs", "ws://a, ws://b,"])) == ["ws://a", "ws://b"]
    assert hubs_of(parser().parse_args([])) == []
