"""Settings: what is missing, misspelt or nonsense is refused in one line that names the variable and the fix."""

from collections.abc import Callable
from pathlib import Path

import pytest

from server.settings.environment import NAMES, Environment, SettingsError
from server.tracing.tracing_settings import SPELT
from tests.harness.source import REFERENCE, code_names, rows


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
        (lambda e: e.integer("ARABIC", 1, low=0, high=9), "is no whole number: set it to 0..9"),
        (lambda e: e.integer("UNDERSCORE", 1, low=0, high=99), "is no whole number: set it to 0..99"),
        (lambda e: e.number("ARABIC", 1, low=0, high=9), "is no number: set it to 0..9"),
        (lambda e: e.number("NAN", 1, low=0, high=9), "NAN='nan' is no number"),
        (lambda e: e.number("INF", 1, low=0, high=9), "INF='inf' is no number"),
        (lambda e: e.url("A", ("http", "https")), "A must begin with http:// or https://"),
        (lambda e: e.url("PORT", ("http",)), "PORT has a host or port that cannot be read"),
        (lambda e: e.url("FAR", ("http",)), "FAR has a host or port that cannot be read"),
        (lambda e: e.url("HOST", ("http",)), "HOST has a host or port that cannot be read"),
        (lambda e: e.secret("A", bytes_min=32), "A is too short: it needs at least 32 bytes"),
        (lambda e: e.secret("FILED"), "FILED_FILE=/nonexistent cannot be read"),
        (lambda e: e.secret("BOTH"), "BOTH and BOTH_FILE are both set: unset one of them"),
        (lambda e: e.url("BLANK", ("http",)), "BLANK has a host or port that cannot be read"),
        (lambda e: e.url("NOBODY", ("http",)), "NOBODY names no host: write http://host[:port]"),
    ],
)
def test_nonsense_is_refused_with_the_variable_and_the_fix(read: Callable[[Environment], object], said: str) -> None:
    urls = {"PORT": "http://u:hidden/x@h", "FAR": "http://h:99999", "HOST": "http://[::1/x"}
    urls |= {"BLANK": "http://h/hidden\ry", "NOBODY": "http:///hidden"}
    digits = {"ARABIC": "\N{ARABIC-INDIC DIGIT FIVE}", "UNDERSCORE": "1_0", "N": "10", "NAN": "nan", "INF": "inf"}
    both = {"BOTH": "http://u:hidden@h", "BOTH_FILE": "/nonexistent"}
    environment = Environment({"A": "x", "FILED_FILE": "/nonexistent", **both, **digits, **urls})
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


def test_a_url_with_a_password_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    good, binary = tmp_path / "good", tmp_path / "binary"
    good.write_text("postgresql://u:hidden@h/d\n")
    binary.write_bytes(b"\xff\xfe")
    environment = Environment({"U_FILE": f" {good} ", "U": " ", "BINARY_FILE": str(binary)})
    assert environment.secret("U") == "postgresql://u:hidden@h/d"
    with pytest.raises(SettingsError, match=r"BINARY_FILE=.* is no text"):
        environment.secret("BINARY")


def test_a_secret_is_there_by_itself_or_in_a_file() -> None:
    environment = Environment({"A": "x", "B_FILE": "/nonexistent", "C": " ", "D_FILE": ""})
    assert [name for name in "ABCDE" if environment.has_secret(name)] == ["A", "B"]


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example", "http://127.0.0.1:8080", "http://[::1]:8080", "https://xn--bcher-kva.example", "*"],
)
def test_an_origin_is_what_a_browser_sends(origin: str) -> None:
    assert Environment({"O": f"{origin}, https://other.example"}).origins("O") == (origin, "https://other.example")


@pytest.mark.parametrize(
    "origin",
    [
        "evil",
        "null",
        "https://",
        "https://shop.example/",
        "https://shop.example/x",
        "https://u@h",
        "https://a b",
        "//h",
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"O has '.*': set each origin to http\(s\)://host\[:port\]"):
        Environment({"O": f"https://shop.example,{origin}"}).origins("O")


@pytest.mark.parametrize(
    ("misspelt", "fix"),
    [
        ("STOCKWIRE_HUB_PROT", "unset it, or set STOCKWIRE_HUB_"),
        ("STOCKWIRE_ALLOWED_ORIGIN", "unset it, or set STOCKWIRE_ALLOWED_ORIGINS"),
        ("STOCKWIRE_LEDGER_TOKEN_SECRET_FILE", "unset it, or set STOCKWIRE_TOKEN_SECRET_FILE"),
        (
            "STOCKWIRE_HUB_PORT",
            "unset it, or set one of STOCKWIRE_HUB_ADMIN_PORT, STOCKWIRE_HUB_READ_PORT,",
        ),
        ("STOCKWIRE_TLS_CERT", "unset it, or set STOCKWIRE_TLS_CERT_FILE"),
        ("STOCKWIRE_TYPO", "unset it"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_is_like_it(misspelt: str, fix: str) -> None:
    environment = Environment({misspelt: "1", "STOCKWIRE_LEDGER_PORT": "2", "OTHER": "3"})
    with pytest.raises(SettingsError, match=rf"{misspelt} is not a setting: {fix}"):
        environment.refuse_unknown()


def test_what_any_part_knows_is_not_unknown() -> None:
    described = {
        name for row in rows((REFERENCE / "settings.md").read_text(), "Setting") for name in code_names(row[0])
    }
    assert described == NAMES | SPELT
    Environment(dict.fromkeys(NAMES, "x")).refuse_unknown()


@pytest.mark.parametrize(
    "text", ["1_0", "+5", "\N{FULLWIDTH DIGIT FIVE}", "1e3", "0x10", "inf", "nan", "1.", ".5", "--5", "9" * 19]
)
def test_what_python_takes_for_a_number_and_nobody_means_is_refused(text: str) -> None:
    environment = Environment({"N": text})
    for read in (
        lambda: environment.integer("N", 1, low=0, high=10**20),
        lambda: environment.number("N", 1, low=0, high=1e20),
    ):
        with pytest.raises(SettingsError, match=r"N=.* is no (whole )?number"):
            read()
