"""Settings: what is missing, misspelt or nonsense is refused in one line that names the variable and the fix."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wire.environment import Environment, SettingsError


def test_values_are_read_and_defaults_stand_in() -> None:
    environment = Environment({"A": " x ", "N": "5", "F": "0.5", "L": " a, b ,,", "EMPTY": ""})
    assert environment.text("A") == "x"
    assert environment.text("EMPTY", "default") == "default"
    assert environment.integer("N", 1, low=0, high=9) == 5
    assert environment.integer("MISSING", 1, low=0, high=9) == 1
    assert environment.number("F", 1, low=0, high=1) == 0.5
    assert environment.items("L") == ("a", "b")
    assert environment.items("MISSING") == ()
    assert environment.url("U", ("redis", "unix"), "unix:///run/valkey.sock") == "unix:///run/valkey.sock"


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda e: e.text("MISSING"), "MISSING is not set: set MISSING="),
        (lambda e: e.integer("A", 1, low=0, high=9), "A='x' is no whole number: set it to 0..9"),
        (lambda e: e.integer("N", 1, low=0, high=9), "N=10 is out of range: set it to 0..9"),
        (lambda e: e.number("A", 1, low=0, high=9), "A='x' is no number: set it to 0..9"),
        (lambda e: e.number("NAN", 1, low=0, high=9), "NAN=nan is out of range"),
        (lambda e: e.number("INF", 1, low=0, high=9), "INF=inf is out of range"),
        (lambda e: e.url("A", ("http", "https")), "A must begin with http:// or https://"),
        (lambda e: e.url("PORT", ("http",)), "PORT has a host or port that cannot be read"),
        (lambda e: e.url("FAR", ("http",)), "FAR has a host or port that cannot be read"),
        (lambda e: e.url("HOST", ("http",)), "HOST has a host or port that cannot be read"),
        (lambda e: e.secret("A", bytes_min=32), "A is too short: it needs at least 32 bytes"),
        (lambda e: e.secret("FILED"), "FILED_FILE=/nonexistent cannot be read"),
    ],
)
def test_nonsense_is_refused_with_the_variable_and_the_fix(read: Callable[[Environment], object], said: str) -> None:
    urls = {"PORT": "http://u:hidden/x@h", "FAR": "http://h:99999", "HOST": "http://[::1/x"}
    environment = Environment({"A": "x", "N": "10", "NAN": "nan", "INF": "inf", "FILED_FILE": "/nonexistent", **urls})
    with pytest.raises(SettingsError) as refused:
        read(environment)
    assert said in str(refused.value)
    assert "hidden" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_secret_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hidden-value\n")
    environment = Environment({"KEY_FILE": str(path)})
    assert environment.secret("KEY") == "hidden-value"
    with pytest.raises(SettingsError) as refused:
        environment.secret("KEY", bytes_min=100)
    assert "hidden" not in str(refused.value)


def test_a_misspelt_variable_is_refused_and_the_known_ones_are_named() -> None:
    environment = Environment({"STOCKWIRE_HUB_PROT": "1", "STOCKWIRE_LEDGER_PORT": "2", "OTHER": "3"})
    environment.integer("STOCKWIRE_HUB_PORT", 0, low=0, high=65535)
    with pytest.raises(SettingsError, match=r"STOCKWIRE_HUB_PROT is not a setting: .* STOCKWIRE_HUB_PORT"):
        environment.refuse_unknown("STOCKWIRE_HUB_")


def test_what_was_asked_for_is_not_unknown() -> None:
    environment = Environment({"STOCKWIRE_HUB_KEY": "k", "STOCKWIRE_HUB_NODE": "n"})
    environment.secret("STOCKWIRE_HUB_KEY")
    environment.text("STOCKWIRE_HUB_NODE")
    environment.refuse_unknown("STOCKWIRE_HUB_")
