"""Tokens: what was not made with our key, for us and by whom we trust, opens nothing."""

import base64
import json
from dataclasses import replace
from typing import Any

import jwt
import pytest

from wire.tokens import (
    LEEWAY_S,
    OURS,
    SHARED_SECRET,
    TOKEN_BYTES_MAX,
    BadToken,
    ExpiredToken,
    Issuer,
    Principal,
    looks_like_token,
    mint,
    read_unproven,
    shared_secret,
    verify,
)

SECRET = "a secret of at least thirty-two bytes"
NOW = 1_800_000_000
HOUR_S = 3_600
PROVIDER = Issuer("https://login.example/", "stock.example", names_key=False)
PRINCIPAL = Principal("shop", "ab12cd34ef56", frozenset({"stock:read:berlin", "stock:read:paris"}), NOW + HOUR_S)
CLAIMS: dict[str, Any] = {
    "iss": "stockwire",
    "aud": "stockwire",
    "sub": "shop",
    "key": "ab12cd34ef56",
    "scope": "stock:read:berlin",
    "iat": NOW,
    "exp": NOW + HOUR_S,
}
OF_PROVIDER: dict[str, Any] = {
    "iss": PROVIDER.name,
    "aud": PROVIDER.audience,
    "sub": "auth0|7",
    "exp": NOW + HOUR_S,
    "scope": "openid stock:read:berlin",
}


def read(token: str, secret: str = SECRET, issuer: Issuer = OURS, now: float = NOW) -> Principal:
    return verify(token, secret, SHARED_SECRET, issuer, now)


def signed(claims: dict[str, Any], **headers: Any) -> str:
    return jwt.encode(claims, SECRET, algorithm=SHARED_SECRET, headers=headers)


def of_provider(**claims: Any) -> Principal:
    stated = {**OF_PROVIDER, **claims}
    return read(signed({name: value for name, value in stated.items() if value is not ...}), issuer=PROVIDER)


def raw(header: str, payload: str) -> str:
    """A token of any header and payload, signed by nobody."""
    parts = (base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, payload))
    return ".".join([*parts, "c2ln"])


def test_a_minted_token_names_who_minted_it() -> None:
    assert read(mint(PRINCIPAL, NOW, shared_secret(SECRET))) == PRINCIPAL


@pytest.mark.parametrize("change", [{"expires_at": None}, {"key": None}], ids=str)
def test_a_token_without_an_end_or_a_key_is_not_minted(change: dict[str, None]) -> None:
    with pytest.raises(ValueError, match="needs an end and a key"):
        mint(replace(PRINCIPAL, **change), NOW, shared_secret(SECRET))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("late_s", [0, 0.001, 1, LEEWAY_S])
def test_an_end_has_no_leeway(late_s: float) -> None:
    token = mint(PRINCIPAL, NOW, shared_secret(SECRET))
    assert read(token, now=NOW + HOUR_S - 0.001) == PRINCIPAL
    with pytest.raises(ExpiredToken):
        read(token, now=NOW + HOUR_S + late_s)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_the_clock_of_an_issuer_may_be_a_little_ahead(claim: str) -> None:
    assert read(signed({**CLAIMS, claim: NOW + LEEWAY_S})).owner == "shop"
    with pytest.raises(BadToken, match=claim):
        read(signed({**CLAIMS, claim: NOW + LEEWAY_S + 1}))


@pytest.mark.parametrize("missing", sorted(CLAIMS))
def test_a_token_without_a_claim_is_bad(missing: str) -> None:
    with pytest.raises(BadToken):
        read(signed({name: value for name, value in CLAIMS.items() if name != missing}))


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "exp"])
def test_a_providers_token_without_a_claim_is_bad(missing: str) -> None:
    with pytest.raises(BadToken):
        of_provider(**{missing: ...})


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "other"},
        {"iss": "stockwire "},
        {"aud": "other"},
        {"aud": []},
        {"aud": ["other", "another"]},
        {"aud": [5]},
        {"scope": ["stock:read:*"]},
        {"scope": 5},
        {"key": 5},
        {"key": None},
        {"sub": 5},
        {"sub": ""},
        {"sub": "x" * 129},
        {"sub": "a\nb"},
        {"exp": "x"},
        {"exp": str(NOW + HOUR_S)},
        {"exp": True},
        {"exp": None},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**12},
        {"exp": 1e300},
        {"exp": -1},
        {"nbf": "soon"},
        {"iat": [NOW]},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_bad(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        read(signed({**CLAIMS, **wrong}))


def test_an_audience_may_be_one_of_several() -> None:
    assert read(signed({**CLAIMS, "aud": ["other", "stockwire"]})).owner == "shop"


def test_a_provider_may_let_a_token_last_for_years() -> None:
    assert of_provider(exp=NOW + 10**9).expires_at == NOW + 10**9


def test_a_providers_token_has_no_key_whatever_it_says() -> None:
    assert of_provider(key="ab12cd34ef56") == Principal("auth0|7", None, frozenset({"stock:read:berlin"}), NOW + HOUR_S)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": ...}, set()),
        ({"scope": ""}, set()),
        ({"scope": "openid profile stock:delete:berlin stock:read:a/b"}, set()),
        ({"scope": "stock:read:* feed"}, {"stock:read:*", "feed"}),
        ({"scope": "hub admin stock:write:berlin"}, {"stock:write:berlin"}),
        ({"scope": ..., "scp": "stock:read:berlin"}, {"stock:read:berlin"}),
        ({"scope": ..., "scp": ["stock:read:berlin", "email"]}, {"stock:read:berlin"}),
        ({"scope": "stock:read:berlin", "scp": ["stock:read:*"]}, {"stock:read:berlin"}),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else str(value),
)
def test_a_providers_token_has_the_scopes_that_are_ours_and_never_those_of_who_runs_it(
    claims: dict[str, Any], scopes: set[str]
) -> None:
    assert of_provider(**claims).scopes == scopes


@pytest.mark.parametrize("claims", [{"scope": 5}, {"scope": [5]}, {"scope": {}}, {"scope": None}], ids=str)
def test_scopes_that_cannot_be_read_are_bad(claims: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        of_provider(**claims)


def test_a_token_of_another_secret_or_another_algorithm_is_bad() -> None:
    other = "another secret of at least sixty-four bytes, so that HS512 is content with it"
    good = mint(PRINCIPAL, NOW, shared_secret(SECRET))
    forged = [
        jwt.encode(CLAIMS, other, algorithm="HS256"),
        jwt.encode(CLAIMS, other, algorithm="HS512"),
        jwt.encode(CLAIMS, "", algorithm="none"),
        *(raw(json.dumps({"alg": alg, "typ": "JWT"}), json.dumps(CLAIMS)) for alg in ("none", "None", "NONE", "nOnE")),
        good[:-2],
        good + ".",
        good.rpartition(".")[0] + ".",
        good.rpartition(".")[0],
        good + "x" * TOKEN_BYTES_MAX,
        "",
        "...",
        "é.é.é",
        "sw_ab12cd34ef56_secret",
    ]
    for token in forged:
        with pytest.raises(BadToken):
            read(token)


def test_a_token_signed_with_the_right_secret_by_another_algorithm_is_bad() -> None:
    secret = "x" * 64
    with pytest.raises(BadToken):
        read(jwt.encode(CLAIMS, secret, algorithm="HS512"), secret)


def test_an_extension_that_must_be_understood_is_not() -> None:
    with pytest.raises(BadToken):
        read(signed(CLAIMS, crit=["exp"], exp=1))


@pytest.mark.parametrize(
    "token",
    [
        raw("[" * 5_000, "{}"),
        raw("{}", "[" * 5_000),
        raw('{"alg": "RS256"}', '{"iss": "x", "a": ' + "[" * 3_000),
        raw('{"alg": "RS256"}', '{"iss": "x", "exp": 1' + "0" * 5_000 + "}"),
        raw("[]", "{}"),
        raw('"x"', "{}"),
        raw('{"alg": 5}', '{"iss": "x"}'),
        raw('{"alg": "RS256"}', '{"iss": ["x"]}'),
        raw('{"alg": "RS256"}', "[]"),
        raw('{"alg": "RS256", "kid": 5}', '{"iss": "x"}'),
        raw('{"alg": "RS256", "kid": "' + "k" * 257 + '"}', '{"iss": "x"}'),
        "x" * (TOKEN_BYTES_MAX + 1),
        "\ud800.e30.e30",
    ],
    ids=range(13),
)
def test_what_is_read_before_anything_is_proved_never_fails_otherwise(token: str) -> None:
    for look in (read_unproven, read):
        with pytest.raises(BadToken):
            look(token)


@pytest.mark.parametrize(
    ("text", "is_one"), [("wrong", False), ("sw", False), ("a.b", False), ("a.b.c", True), ("a.b.c.d", False)]
)
def test_what_nobody_made_as_a_token_is_not_called_one(text: str, is_one: bool) -> None:
    assert looks_like_token(text) is is_one
