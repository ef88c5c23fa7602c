"""A setting that makes no sense is named in the refusal, and no other one: whoever reads it looks there."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from console.settings import read_settings as read_console_settings
from followers.exporter.settings import read_settings as read_exporter_settings
from followers.intake.settings import read_settings as read_intake_settings
from followers.relay.settings import read_settings as read_relay_settings
from followers.sealing import new_sealing_key
from followers.settings import read_settings as read_channels_settings
from hub.settings import read_settings as read_hub_settings
from ledger.settings import read_settings as read_ledger_settings
from server.settings.environment import Environment, SettingsError
from stockwire.errors import ConfigurationError
from stockwire.settings import resolve
from tests.harness.api_keys import TOKEN_SECRET

CHECKED = ("integer", "number", "flag", "networks", "origins", "hosts", "url")
"""Readers that do not take every text."""
SENSELESS = "no sense!"
SHARED = {"STOCKWIRE_REDIS_URL": "redis://localhost", "STOCKWIRE_TOKEN_SECRET": TOKEN_SECRET}
LEDGER = {**SHARED, "STOCKWIRE_DATABASE_URL": "postgresql://localhost/stockwire"}
HUB = {**SHARED, "STOCKWIRE_LEDGER_URLS": "http://localhost", "STOCKWIRE_HUB_KEY": "sw_key"}
CONSOLE = {"STOCKWIRE_URL": "http://localhost", "STOCKWIRE_CONSOLE_KEY": "sw_key"}
LEDGER_CASES = [
    ("STOCKWIRE_DATABASE_URL", None),
    ("STOCKWIRE_DATABASE_URL", "sqlite:///x"),
    ("STOCKWIRE_TOKEN_SECRET", "short"),
    ("STOCKWIRE_REDIS_URL", "http://x"),
    ("STOCKWIRE_LEDGER_PORTS", "1"),
    ("STOCKWIRE_LEDGER_CONNECTIONS_MAX", "-1"),
    ("STOCKWIRE_LEDGER_CONNECTIONS_PER_ADDRESS_MAX", "-1"),
    ("STOCKWIRE_LEDGER_IN_FLIGHT_MAX", "-1"),
    ("STOCKWIRE_LEDGER_PUBLIC_URL", "ftp://x"),
    ("STOCKWIRE_CHANNELS_URL", "https://me:secret@x"),
    ("STOCKWIRE_HUB_STREAM_URLS", "http://hub"),
    ("STOCKWIRE_HUB_READ_URLS", "http://hub"),
    ("STOCKWIRE_ALLOWED_ORIGINS", "evil"),
    ("STOCKWIRE_BEHIND_PROXY", "yes"),
    ("STOCKWIRE_TRUSTED_PROXIES", "proxy"),
    ("STOCKWIRE_TYPO", "1"),
    ("STOCKWIRE_LEDGER_HOST", "0.0.0.0"),
    ("STOCKWIRE_LEDGER_ADMIN_HOST", "0.0.0.0"),
]
"""The last two: other machines come there, and nothing is encrypted."""
HUB_CASES = [
    ("STOCKWIRE_HUB_KEY", None),
    ("STOCKWIRE_TOKEN_SECRET", "short"),
    ("STOCKWIRE_REDIS_URL", "http://x"),
    ("STOCKWIRE_LEDGER_URLS", "ftp://x"),
    ("STOCKWIRE_LEDGER_CA_FILE", "/nonexistent"),
    ("STOCKWIRE_HUB_STREAM_PORT", "70000"),
    ("STOCKWIRE_HUB_LOOP", "trio"),
    ("STOCKWIRE_HUB_HEARTBEATS", "1"),
    ("STOCKWIRE_HUB_RATE_PER_S", "-1"),
    ("STOCKWIRE_HUB_CONNECTION_AGE_S", "1h"),
    ("STOCKWIRE_HUB_CONNECTION_AGE_S", "5"),
    ("STOCKWIRE_HUB_CONNECTION_AGE_S", "700000"),
    ("STOCKWIRE_ALLOWED_ORIGINS", "shop.example"),
    ("STOCKWIRE_BEHIND_PROXY", "yes"),
    ("STOCKWIRE_TRUSTED_PROXIES", "proxy"),
    ("STOCKWIRE_HUB_HOST", "0.0.0.0"),
    ("STOCKWIRE_HUB_ADMIN_HOST", "0.0.0.0"),
]
CONSOLE_CASES = [
    ("STOCKWIRE_URL", None),
    ("STOCKWIRE_URL", "ftp://x"),
    ("STOCKWIRE_CONSOLE_KEY", None),
    ("STOCKWIRE_ADMIN_URLS", "127.0.0.1:8081"),
    ("STOCKWIRE_CONSOLE_HUB_URLS", "http://hub-1:8090"),
    ("STOCKWIRE_CONSOLE_PORT", "70000"),
    ("STOCKWIRE_CONSOLE_ORIGINS", "*"),
    ("STOCKWIRE_CONSOLE_ORIGINS", "console.example"),
    ("STOCKWIRE_CONSOLE_SESSION_HOURS", "0"),
    ("STOCKWIRE_CONSOLE_VIEWERS_MAX", "0"),
    ("STOCKWIRE_CONSOLE_PORTS", "1"),
    ("STOCKWIRE_CONSOLE_HOST", "0.0.0.0"),
    ("STOCKWIRE_LEDGER_CA_FILE", "/nonexistent"),
]
EXPORTER = {"STOCKWIRE_URL": "http://localhost", "STOCKWIRE_EXPORTER_KEY": "sw_key"}
EXPORTER_CASES = [
    ("STOCKWIRE_URL", None),
    ("STOCKWIRE_URL", "ftp://x"),
    ("STOCKWIRE_EXPORTER_KEY", None),
    ("STOCKWIRE_EXPORTER_PORT", "70000"),
    ("STOCKWIRE_EXPORTER_PORTS", "1"),
    ("STOCKWIRE_EXPORTER_SKUS", "A,b/c"),
    ("STOCKWIRE_EXPORTER_SKUS", ",".join(map(str, range(1_001)))),
    ("STOCKWIRE_EXPORTER_HOTTEST", "101"),
    ("STOCKWIRE_EXPORTER_LEVELS_MAX", "0"),
    ("STOCKWIRE_EXPORTER_FROM_START", "yes"),
    ("STOCKWIRE_EXPORTER_HOST", "0.0.0.0"),
    ("STOCKWIRE_LEDGER_CA_FILE", "/nonexistent"),
]
RELAY = {
    "STOCKWIRE_URL": "http://localhost",
    "STOCKWIRE_RELAY_KEY": "sw_key",
    "STOCKWIRE_RELAY_TO": "kafka://localhost",
}
RELAY_CASES = [
    ("STOCKWIRE_URL", None),
    ("STOCKWIRE_RELAY_KEY", None),
    ("STOCKWIRE_RELAY_TO", None),
    ("STOCKWIRE_RELAY_TO", "amqp://localhost"),
    ("STOCKWIRE_RELAY_PREFIX", "a.b"),
    ("STOCKWIRE_RELAY_SYSTEM", "my shop"),
    ("STOCKWIRE_RELAY_MODE", "batched"),
    ("STOCKWIRE_RELAY_DELIVERY", "at-most-once"),
    ("STOCKWIRE_RELAY_PORT", "70000"),
    ("STOCKWIRE_RELAY_HOST", "0.0.0.0"),
    ("STOCKWIRE_RELAY_PORTS", "1"),
    ("STOCKWIRE_BROKER_SASL", "PLAIN"),
]
INTAKE = {
    "STOCKWIRE_URL": "http://localhost",
    "STOCKWIRE_INTAKE_KEY": "sw_key",
    "STOCKWIRE_INTAKE_FROM": "kafka://localhost",
}
CHANNELS = {
    "STOCKWIRE_URL": "http://localhost",
    "STOCKWIRE_CHANNELS_KEY": "sw_key",
    "STOCKWIRE_DATABASE_URL": "postgresql://localhost/stockwire",
    "STOCKWIRE_WEBHOOKS_SEALING_KEYS": new_sealing_key(),
}
Read = Callable[[Mapping[str, str]], object]
NAME = re.compile(r"STOCKWIRE_[A-Z_]+[A-Z]")


def names_read(read: Read, variables: Mapping[str, str]) -> list[str]:
    """Of the settings that are checked, as ``read`` asks for them."""
    names: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        for method in CHECKED:
            original = getattr(Environment, method)

            def recording(self: Environment, name: str, *rest: Any, original: Any = original, **bounds: Any) -> Any:
                names.add(name)
                return original(self, name, *rest, **bounds)

            patch.setattr(Environment, method, recording)
        read(variables)
    return sorted(names)


CASES = [
    pytest.param(read, variables, name, id=f"{title}-{name}")
    for title, read, variables in (
        ("ledger", read_ledger_settings, LEDGER),
        ("hub", read_hub_settings, HUB),
        ("console", read_console_settings, CONSOLE),
        ("exporter", read_exporter_settings, EXPORTER),
        ("relay", read_relay_settings, RELAY),
    )
    for name in names_read(read, variables)
]


@pytest.mark.parametrize(("read", "variables", "name"), CASES)
def test_the_setting_that_makes_no_sense_is_the_one_that_is_named(
    read: Read, variables: Mapping[str, str], name: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read({**variables, name: SENSELESS})
    named = NAME.search(str(refused.value))
    assert named is not None
    assert named[0] == name


@pytest.mark.parametrize(
    ("read", "variables", "name", "value"),
    [
        pytest.param(read, variables, name, value, id=f"{title}-{name}-{value}")
        for title, read, variables, cases in (
            ("ledger", read_ledger_settings, LEDGER, LEDGER_CASES),
            ("hub", read_hub_settings, HUB, HUB_CASES),
            ("console", read_console_settings, CONSOLE, CONSOLE_CASES),
            ("exporter", read_exporter_settings, EXPORTER, EXPORTER_CASES),
            ("relay", read_relay_settings, RELAY, RELAY_CASES),
        )
        for name, value in cases
    ],
)
def test_a_value_that_would_not_do_is_refused_in_one_line_that_begins_with_its_name(
    read: Read, variables: Mapping[str, str], name: str, value: str | None
) -> None:
    """That the line is what ends the process, with status 78, ``tests/ledger`` and ``tests/hub`` see in a process."""
    read(variables)
    given = {**variables, name: value}
    with pytest.raises(SettingsError, match=f"^{name}\\b") as refused:
        read({name: text for name, text in given.items() if text is not None})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://shop:hidden@ledger", "http://hidden@ledger:8080/v1", "http://ledger/?hidden"])
@pytest.mark.parametrize(
    ("read", "variables", "name"),
    [
        pytest.param(read, variables, name, id=title)
        for title, read, variables, name in (
            ("hub", read_hub_settings, HUB, "STOCKWIRE_LEDGER_URLS"),
            ("console", read_console_settings, CONSOLE, "STOCKWIRE_URL"),
            ("channels", read_channels_settings, CHANNELS, "STOCKWIRE_URL"),
            ("exporter", read_exporter_settings, EXPORTER, "STOCKWIRE_URL"),
            ("relay", read_relay_settings, RELAY, "STOCKWIRE_URL"),
            ("intake", read_intake_settings, INTAKE, "STOCKWIRE_URL"),
        )
    ],
)
def test_a_ledger_url_with_a_password_would_be_asked_without_the_key(
    read: Read, variables: Mapping[str, str], name: str, url: str
) -> None:
    """Or, of clients that see two of the same header, not at all."""
    read(variables)
    with pytest.raises(SettingsError, match=rf"^{name} has a .*: write https?://host\[:port\]") as refused:
        read({**variables, name: url})
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"AGE": "13"}, "from 9.75 s on, before STOCKWIRE_HUB_DRAIN_S=10 is over: set it to at least 14, or to 0"),
        (
            {"AGE": "0.1", "DRAIN": "0.1", "HEARTBEAT": "60"},
            "STOCKWIRE_HUB_HEARTBEAT_S=60 is over: set it to at least 80",
        ),
    ],
)
def test_an_age_at_which_nobody_would_have_heard_where_it_stands_is_refused_with_what_would_do(
    given: dict[str, str], said: str
) -> None:
    names = {"AGE": "STOCKWIRE_HUB_CONNECTION_AGE_S", "DRAIN": "STOCKWIRE_HUB_DRAIN_S"}
    named = {names.get(name, f"STOCKWIRE_HUB_{name}_S"): value for name, value in given.items()}
    with pytest.raises(SettingsError, match=f"^{names['AGE']}={given['AGE']} is too short: .*{said}"):
        read_hub_settings({**HUB, **named})
    assert read_hub_settings({**HUB, names["AGE"]: "14"}).limits.connection_age_s == 14
    assert not read_hub_settings(HUB).limits.connection_age_s, "unless it is set, nobody is sent away"


PAGES = {"STOCKWIRE_HUB_PUBLIC_LOCATIONS": "web", "STOCKWIRE_ALLOWED_ORIGINS": "https://shop.example"}
PROXY = {"STOCKWIRE_BEHIND_PROXY": "1"}
UNCOUNTED = {"STOCKWIRE_HUB_VISITORS_PER_ADDRESS_MAX": "0", "STOCKWIRE_HUB_VISITORS_PER_ADDRESS_PER_MINUTE": "0"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**PAGES, "STOCKWIRE_HUB_PUBLIC_LOCATIONS": ""}, "HUB_VISITORS=1 .*PUBLIC_LOCATIONS: name the locations"),
        ({**PAGES, "STOCKWIRE_ALLOWED_ORIGINS": ""}, "HUB_VISITORS=1 .*ALLOWED_ORIGINS: name their pages"),
        ({**PAGES, "STOCKWIRE_HUB_VISITORS_MAX": "20000"}, "HUB_VISITORS_MAX=20000 .*set it below .*=20000"),
        ({**PAGES, "STOCKWIRE_HUB_CONNECTIONS_MAX": "1"}, "HUB_VISITORS_MAX=1 .*or that one higher"),
        ({**PAGES, **PROXY}, "HUB_VISITORS_PER_ADDRESS_MAX=200 .*name the proxy in STOCKWIRE_TRUSTED_PROXIES"),
        ({**PAGES, **PROXY, "STOCKWIRE_HUB_VISITORS_PER_ADDRESS_MAX": "0"}, "HUB_VISITORS_PER_ADDRESS_PER_MINUTE=600 "),
    ],
)
def test_visitors_are_not_let_in_where_that_makes_no_sense(given: dict[str, str], said: str) -> None:
    assert read_hub_settings({**HUB, **given}).visitors is None, "without the setting nobody looks at it"
    with pytest.raises(SettingsError, match=f"^STOCKWIRE_{said}"):
        read_hub_settings({**HUB, **given, "STOCKWIRE_HUB_VISITORS": "1"})


@pytest.mark.parametrize("given", [{}, {**PROXY, **UNCOUNTED}, {**PROXY, "STOCKWIRE_TRUSTED_PROXIES": "10.0.0.7"}])
def test_visitors_are_let_in_where_it_makes_sense(given: dict[str, str]) -> None:
    settings = read_hub_settings({**HUB, **PAGES, **given, "STOCKWIRE_HUB_VISITORS": "1"})
    assert settings.visitors is not None
    assert (settings.visitors.visitors_max, settings.bounds.whole) == (settings.limits.connections_max // 2, ("web",))
    assert not read_hub_settings({**HUB, **PAGES, **given}).bounds.whole


@pytest.mark.parametrize(
    ("idle", "met"),
    [
        ("STOCKWIRE_HOLD_CUSTOMER_RESERVATIONS_MAX", "STOCKWIRE_HOLD_CUSTOMER_UNITS_MAX"),
        ("STOCKWIRE_HOLD_OWNER_RESERVATIONS_MAX", "STOCKWIRE_HOLD_OWNER_UNITS_MAX"),
        ("STOCKWIRE_HOLD_CUSTOMER_UNITS_MAX", "STOCKWIRE_HOLD_OWNER_UNITS_MAX"),
        ("STOCKWIRE_HOLD_CUSTOMER_RESERVATIONS_MAX", "STOCKWIRE_HOLD_OWNER_RESERVATIONS_MAX"),
    ],
)
def test_a_limit_that_could_never_be_met_is_refused_with_what_would_do(idle: str, met: str) -> None:
    for allowed in ("0", "5"):
        read_ledger_settings({**LEDGER, idle: allowed, met: "5"})
    read_ledger_settings({**LEDGER, idle: "6", met: "0"})
    with pytest.raises(SettingsError, match=f"^{idle}=6 is above {met}=5, .*: set it to at most 5$"):
        read_ledger_settings({**LEDGER, idle: "6", met: "5"})


@pytest.mark.parametrize(
    ("read", "variables", "hosts"),
    [
        (read_ledger_settings, LEDGER, ("STOCKWIRE_LEDGER_HOST", "STOCKWIRE_LEDGER_ADMIN_HOST")),
        (read_hub_settings, HUB, ("STOCKWIRE_HUB_HOST", "STOCKWIRE_HUB_ADMIN_HOST")),
        (read_console_settings, CONSOLE, ("STOCKWIRE_CONSOLE_HOST",)),
        (read_exporter_settings, EXPORTER, ("STOCKWIRE_EXPORTER_HOST",)),
        (read_relay_settings, RELAY, ("STOCKWIRE_RELAY_HOST",)),
    ],
)
def test_a_public_address_needs_a_certificate_or_the_word_that_a_proxy_encrypts(
    read: Read, variables: Mapping[str, str], hosts: Sequence[str]
) -> None:
    public = {**variables, **dict.fromkeys(hosts, "0.0.0.0")}
    with pytest.raises(SettingsError) as refused:
        read(public)
    for fix in ("STOCKWIRE_TLS_CERT_FILE", "STOCKWIRE_TLS_KEY_FILE", "STOCKWIRE_BEHIND_PROXY=1", "--behind-proxy"):
        assert fix in str(refused.value)
    read({**public, "STOCKWIRE_BEHIND_PROXY": "1"})
    read({**public, "STOCKWIRE_TLS_CERT_FILE": "/chain.pem", "STOCKWIRE_TLS_KEY_FILE": "/key.pem"})


def test_there_are_settings_to_try() -> None:
    assert len(CASES) > 40


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"STOCKWIRE_URL": SENSELESS}, SENSELESS),
        ({"STOCKWIRE_URL": "http://localhost", "STOCKWIRE_API_KEY": SENSELESS}, "API key"),
        ({"STOCKWIRE_DATA": "/nonexistent"}, "/nonexistent"),
    ],
)
def test_the_client_says_which_of_its_settings_it_means(variables: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        resolve(None, None, variables)
