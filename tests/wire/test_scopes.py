"""What scopes allow: a mistake here shows somebody's stock to somebody else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.vectors import load
from wire.scopes import allows, is_scope

VECTORS = load("scopes.json")
locations = st.from_regex(r"[^\s/*\x00-\x20\x7f-\xa0\ud800-\udfff]{1,64}", fullmatch=True)


@pytest.mark.parametrize("scope", VECTORS["valid"])
def test_a_scope_is_known(scope: str) -> None:
    assert is_scope(scope)


@pytest.mark.parametrize("scope", VECTORS["invalid"])
def test_what_is_no_scope_is_refused(scope: str) -> None:
    assert not is_scope(scope)


@pytest.mark.parametrize("vector", VECTORS["covers"], ids=lambda vector: f"{vector['held']} {vector['needed']}")
def test_a_scope_covers_what_it_says_and_nothing_else(vector: dict[str, Any]) -> None:
    assert allows(vector["held"], vector["needed"]) is vector["allowed"]


@given(locations, locations)
def test_one_location_never_opens_another(held: str, needed: str) -> None:
    assert allows([f"stock:read:{held}"], f"stock:read:{needed}") is (held == needed)
    assert not allows([f"stock:read:{held}"], f"stock:write:{needed}")
    assert allows(["stock:read:*"], f"stock:read:{needed}")
