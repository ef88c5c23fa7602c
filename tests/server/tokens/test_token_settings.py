"""Settings of tokens: a secret or a key set, and what makes no sense stops the start."""

from pathlib import Path

import pytest

from server.settings.environment import Environment, SettingsError
from server.tokens.token_settings import Provider, SharedSecret, read_signing_key_file, read_token_settings
from tests.server.tokens.provider import pem, private_key
from wire.tokens import OURS, Issuer

SECRET = {"STOCKWIRE_TOKEN_SECRET": "a secret of at least thirty-two bytes"}
KEY_SET = {
    "STOCKWIRE_TOKEN_JWKS_URL": "https://login.example/keys",
    "STOCKWIRE_TOKEN_ISSUER": "https://login.example/",
    "STOCKWIRE_TOKEN_AUDIENCE": "stock.example",
}


def test_a_secret_has_the_names_of_always() -> None:
    settings = read_token_settings(Environment(SECRET))
    assert settings == SharedSecret(SECRET["STOCKWIRE_TOKEN_SECRET"], OURS)
    assert "thirty-two" not in repr(settings)


def test_a_secret_may_have_names_of_its_own() -> None:
    named = {**SECRET, "STOCKWIRE_TOKEN_ISSUER": "a", "STOCKWIRE_TOKEN_AUDIENCE": "b"}
    assert read_token_settings(Environment(named)).ours == Issuer("a", "b", names_key=True)


def test_a_key_set_brings_an_issuer_of_its_own_beside_ours() -> None:
    settings = read_token_settings(Environment(KEY_SET))
    assert isinstance(settings, Provider)
    assert settings.issuer == Issuer("https://login.example/", "stock.example", names_key=False)
    assert settings.ours == Issuer("stockwire", "stock.example", names_key=True)
    assert settings.algorithms == ("RS256", "PS256", "ES256", "EdDSA")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/k", "http://localhost/k", "http://[::1]:1/k", "https://h/k?a=b"]
)
def test_an_address_that_nobody_stands_before_is_taken(url: str) -> None:
    settings = read_token_settings(Environment({**KEY_SET, "STOCKWIRE_TOKEN_JWKS_URL": url}))
    assert isinstance(settings, Provider)
    assert settings.jwks_url == url


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "STOCKWIRE_TOKEN_SECRET is not set: set it, or STOCKWIRE_TOKEN_JWKS_URL"),
        ({**KEY_SET, **SECRET}, "STOCKWIRE_TOKEN_SECRET and STOCKWIRE_TOKEN_JWKS_URL are both set"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_SECRET_FILE": "/x"}, "are both set"),
        ({"STOCKWIRE_TOKEN_SECRET": "short"}, "STOCKWIRE_TOKEN_SECRET is too short"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_ISSUER": ""}, "STOCKWIRE_TOKEN_ISSUER is not set"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_AUDIENCE": ""}, "STOCKWIRE_TOKEN_AUDIENCE is not set"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_ISSUER": "stockwire"}, "STOCKWIRE_TOKEN_ISSUER=stockwire"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_ISSUER": "x" * 257}, "STOCKWIRE_TOKEN_ISSUER has 257"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_JWKS_URL": "http://login.example/keys"}, "must begin with https://"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_JWKS_URL": "http://127.0.0.1.example/keys"}, "must begin with https://"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_JWKS_URL": "file:///etc/keys"}, "STOCKWIRE_TOKEN_JWKS_URL must begin"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_JWKS_URL": "https:///keys"}, "names no host"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_JWKS_URL": "https://u:hidden@h/keys"}, "neither user, password"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_ALGORITHMS": "RS256,HS256"}, "STOCKWIRE_TOKEN_ALGORITHMS has 'HS256'"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_ALGORITHMS": "none"}, "STOCKWIRE_TOKEN_ALGORITHMS has 'none'"),
        ({**KEY_SET, "STOCKWIRE_TOKEN_ALGORITHMS": "rs256"}, "STOCKWIRE_TOKEN_ALGORITHMS has 'rs256'"),
        ({**SECRET, "STOCKWIRE_TOKEN_ALGORITHMS": "RS256"}, "STOCKWIRE_TOKEN_ALGORITHMS needs"),
    ],
)
def test_what_makes_no_sense_is_refused(variables: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_token_settings(Environment(variables))
    assert named in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_signing_key_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(private_key("EC")))
    environment = Environment({**KEY_SET, "STOCKWIRE_TOKEN_SIGNING_KEY_FILE": str(file)})
    settings = read_token_settings(environment)
    assert [key.signer.algorithm for key in read_signing_key_file(environment, settings)] == ["ES256"]
    assert read_signing_key_file(Environment(KEY_SET), settings) == ()


@pytest.mark.parametrize(("content", "named"), [(None, "cannot be read"), (b"x", "0 private"), (b"x" * 70_000, "more")])
def test_a_signing_key_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None, named: str) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    environment = Environment({**KEY_SET, "STOCKWIRE_TOKEN_SIGNING_KEY_FILE": str(file)})
    with pytest.raises(SettingsError, match=f"STOCKWIRE_TOKEN_SIGNING_KEY_FILE.*{named}"):
        read_signing_key_file(environment, read_token_settings(environment))


def test_a_signing_key_beside_a_secret_is_refused() -> None:
    environment = Environment({**SECRET, "STOCKWIRE_TOKEN_SIGNING_KEY_FILE": "/x"})
    with pytest.raises(SettingsError, match="STOCKWIRE_TOKEN_SIGNING_KEY_FILE needs STOCKWIRE_TOKEN_JWKS_URL"):
        read_signing_key_file(environment, read_token_settings(environment))
