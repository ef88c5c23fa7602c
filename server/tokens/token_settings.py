"""Who issues the tokens that ledger and hub take: one shared secret, or an identity provider's public keys."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from server.settings.addresses import is_loopback
from server.settings.environment import Environment, SettingsError
from server.tokens.key_set import ALGORITHMS
from server.tokens.signing_keys import BadSigningKey, SigningKey, read_signing_keys
from wire.tokens import SECRET_BYTES_MIN, STOCKWIRE, Issuer

SECRET = "STOCKWIRE_TOKEN_SECRET"
JWKS_URL = "STOCKWIRE_TOKEN_JWKS_URL"
ISSUER = "STOCKWIRE_TOKEN_ISSUER"
AUDIENCE = "STOCKWIRE_TOKEN_AUDIENCE"
TOKEN_ALGORITHMS = "STOCKWIRE_TOKEN_ALGORITHMS"
SIGNING_KEY_FILE = "STOCKWIRE_TOKEN_SIGNING_KEY_FILE"
SIGNING_FILE_BYTES_MAX = 64 * 1024
NAME_CHARACTERS_MAX = 256


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """Ledgers make tokens and everybody checks them with the same secret."""

    secret: str = field(repr=False)
    ours: Issuer


@dataclass(frozen=True, slots=True)
class Provider:
    """``jwks_url``: where the keys of ``issuer`` stand. ``ours``: what ledgers with a signing key make."""

    jwks_url: str
    issuer: Issuer
    algorithms: tuple[str, ...]
    ours: Issuer


TokenSettings = SharedSecret | Provider


def read_token_settings(env: Environment) -> TokenSettings:
    """Raises SettingsError."""
    if not env.text(JWKS_URL, ""):
        return _shared_secret(env)
    if env.has_secret(SECRET):
        raise SettingsError(f"{SECRET} and {JWKS_URL} are both set: unset one, whoever has the secret can make tokens")
    audience = _name(env, AUDIENCE)
    issuer = Issuer(_name(env, ISSUER), audience, names_key=False)
    if issuer.name == STOCKWIRE:
        raise SettingsError(f"{ISSUER}={STOCKWIRE} is what ledgers call themselves: set it to the provider's iss")
    return Provider(_jwks_url(env), issuer, _algorithms(env), Issuer(STOCKWIRE, audience, names_key=True))


def read_signing_key_file(env: Environment, tokens: TokenSettings) -> tuple[SigningKey, ...]:
    """Empty when none is named. Raises SettingsError, which says nothing of what the file holds."""
    path = env.text(SIGNING_KEY_FILE, "")
    if not path:
        return ()
    if isinstance(tokens, SharedSecret):
        raise SettingsError(f"{SIGNING_KEY_FILE} needs {JWKS_URL}: with {SECRET} tokens are signed with the secret")
    try:
        return read_signing_keys(env.file(SIGNING_KEY_FILE, path, bytes_max=SIGNING_FILE_BYTES_MAX))
    except BadSigningKey as error:
        raise SettingsError(f"{SIGNING_KEY_FILE}={path}: {error}") from None


def _shared_secret(env: Environment) -> SharedSecret:
    if not env.has_secret(SECRET):
        raise SettingsError(f"{SECRET} is not set: set it, or {JWKS_URL} for the tokens of an identity provider")
    if env.text(TOKEN_ALGORITHMS, ""):
        raise SettingsError(f"{TOKEN_ALGORITHMS} needs {JWKS_URL}: unset it, tokens of a shared secret are HS256")
    secret = env.secret("STOCKWIRE_TOKEN_SECRET", bytes_min=SECRET_BYTES_MIN)
    return SharedSecret(secret, Issuer(_name(env, ISSUER, STOCKWIRE), _name(env, AUDIENCE, STOCKWIRE), names_key=True))


def _name(env: Environment, name: str, default: str | None = None) -> str:
    value = env.text(name, default)
    if len(value) > NAME_CHARACTERS_MAX:
        raise SettingsError(f"{name} has {len(value)} characters: it may have {NAME_CHARACTERS_MAX}")
    return value


def _jwks_url(env: Environment) -> str:
    url = env.url(JWKS_URL, ("https", "http"))
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise SettingsError(f"{JWKS_URL} needs a host, and neither user, password nor fragment: correct it")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingsError(f"{JWKS_URL} must begin with https://: over http:// anybody on the way could give it keys")
    return url


def _algorithms(env: Environment) -> tuple[str, ...]:
    chosen = env.items(TOKEN_ALGORITHMS) or ALGORITHMS
    for algorithm in chosen:
        if algorithm not in ALGORITHMS:
            raise SettingsError(f"{TOKEN_ALGORITHMS} has {algorithm!r}: choose from {', '.join(ALGORITHMS)}")
    return tuple(dict.fromkeys(chosen))
