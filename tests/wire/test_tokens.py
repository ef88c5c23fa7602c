"""Tokens: what was not minted here with this secret opens nothing."""

import time
from dataclasses import replace
from typing import Any

import jwt
import pytest

from wire.tokens import ALGORITHM, BadToken, ExpiredToken, Principal, mint, verify

SECRET = "a secret of at least thirty-two bytes"
NOW = int(time.time())
HOURS_S = 10_800  # longer than a run of the whole suite
PRINCIPAL = Principal("shop", "ab12cd34ef56", frozenset({"stock:read:berlin", "stock:read:paris"}), NOW + HOURS_S)
CLAIMS: dict[str, Any] = {
    "iss": "stockwire",
    "aud": "stockwire",
    "sub": "shop",
    "key": "ab12cd34ef56",
    "scope": "stock:read:berlin",
    "iat": NOW,
    "exp": NOW + HOURS_S,
}


def test_a_minted_token_names_who_minted_it() -> None:
    assert verify(mint(PRINCIPAL, NOW, SECRET), SECRET) == PRINCIPAL


def test_a_token_without_an_end_is_not_minted() -> None:
    with pytest.raises(ValueError, match="needs an end"):
        mint(replace(PRINCIPAL, expires_at=None), NOW, SECRET)


def test_a_token_that_has_ended_says_so() -> None:
    with pytest.raises(ExpiredToken):
        verify(mint(replace(PRINCIPAL, expires_at=NOW - 1), NOW - 601, SECRET), SECRET)


@pytest.mark.parametrize("missing", sorted(CLAIMS))
def test_a_token_without_a_claim_is_bad(missing: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != missing}
    with pytest.raises(BadToken):
        verify(jwt.encode(claims, SECRET, algorithm=ALGORITHM), SECRET)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"scope": ["stock:read:*"]},
        {"scope": 5},
        {"key": 5},
        {"key": None},
        {"exp": "x"},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_bad(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        verify(jwt.encode({**CLAIMS, **wrong}, SECRET, algorithm=ALGORITHM), SECRET)


def test_a_token_of_another_secret_or_another_algorithm_is_bad() -> None:
    other = "another secret of at least sixty-four bytes, so that HS512 is content with it"
    forged = [
        jwt.encode(CLAIMS, other, algorithm="HS256"),
        jwt.encode(CLAIMS, other, algorithm="HS512"),
        jwt.encode(CLAIMS, "", algorithm="none"),
        mint(PRINCIPAL, NOW, SECRET)[:-2],
        mint(PRINCIPAL, NOW, SECRET) + ".",
        "",
        "...",
        "sw_ab12cd34ef56_secret",
    ]
    for token in forged:
        with pytest.raises(BadToken):
            verify(token, SECRET)


def test_a_token_signed_with_the_right_secret_by_another_algorithm_is_bad() -> None:
    secret = "x" * 64
    with pytest.raises(BadToken):
        verify(jwt.encode(CLAIMS, secret, algorithm="HS512"), secret)
