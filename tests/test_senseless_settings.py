"""A setting that makes no sense is named in the refusal, and no other one: whoever reads it looks there."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

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
    for title, read, variables in (("ledger", read_ledger_settings, LEDGER), ("hub", read_hub_settings, HUB))
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
