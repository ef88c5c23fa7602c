"""Close codes and channel names against the golden vectors."""

from typing import Any

import pytest

from tests.wire.vectors import load
from wire import channels
from wire.close_codes import CloseCode, return_after

CODES = load("close-codes.json")["vectors"]


@pytest.mark.parametrize("vector", CODES, ids=lambda vector: str(vector["code"]))
def test_a_client_returns_when_the_code_says(vector: dict[str, Any]) -> None:
    assert return_after(vector["code"]).value == vector["returns"]


def test_the_names_are_those_of_the_vectors() -> None:
    assert {vector["name"]: vector["code"] for vector in CODES if vector["name"]} == {
        c.name: c.value for c in CloseCode
    }


@pytest.mark.parametrize("vector", load("channels.json")["vectors"], ids=lambda vector: vector["channel"])
def test_channels_have_the_names_of_the_vectors(vector: dict[str, Any]) -> None:
    prefix, shard = vector["prefix"], vector["shard"]
    name = channels.revocation_channel(prefix) if shard is None else channels.shard_channel(prefix, shard)
    assert name == vector["channel"]
