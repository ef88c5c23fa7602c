"""Where the broker is: a URL as Redis clients take it, or one line that says what to change. Reads files it names.

What comes back has only parameters that every part of ours may hand to its client, which lets a URL override what the
program itself has set.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from server.settings.database_parameters import shown
from server.settings.environment import Environment, SettingsError, checked_url

SETTING = "STOCKWIRE_REDIS_URL"
SCHEMES = ("redis", "rediss", "unix")
DATABASE_MAX = 2**31 - 1
_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_REQUIREMENTS = {
    name: requirement
    for requirement in ("none", "optional", "required")
    for name in (requirement, f"cert_{requirement}")
}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def _database(text: str) -> str:
    if not re.fullmatch("[0-9]{1,10}", text, re.ASCII) or int(text) > DATABASE_MAX:
        raise SettingsError(f"{SETTING} has a database that is no number: write it as 0, 1, ...")
    return str(int(text))


def _requirement(text: str) -> str:
    found = _REQUIREMENTS.get(text.lower())
    if found is None:
        raise SettingsError(f"{SETTING}: ssl_cert_reqs is not known: write required, optional or none")
    return found


def _checks_name(text: str) -> str:
    if text.lower() not in (*_YES, *_NO):
        raise SettingsError(f"{SETTING}: ssl_check_hostname is neither: write true or false")
    return str(text.lower() in _YES).lower()


_KEPT: Mapping[str, Callable[[str], str]] = {
    "db": _database,
    "username": str,
    "password": str,
    "client_name": str,
    "ssl_cert_reqs": _requirement,
    "ssl_check_hostname": _checks_name,
    "ssl_password": str,
    **dict.fromkeys(_TLS_FILES, str),
}
_NAMES_SET_BY_US = """
    protocol socket_timeout socket_connect_timeout timeout socket_keepalive socket_read_size retry_on_timeout
    health_check_interval max_connections decode_responses encoding legacy_responses
"""
_SET_BY_US = frozenset(_NAMES_SET_BY_US.split())
"""Taken and left out: none secures the connection, and every wait has a bound of its own."""


def broker_url_of(env: Environment) -> str:
    """The URL, known to be good; or the content of the file that ``STOCKWIRE_REDIS_URL_FILE`` names.

    Raises SettingsError, which never shows the value: it may hold a password.
    """
    return read_broker_url(env.secret("STOCKWIRE_REDIS_URL"))


def read_broker_url(url: str) -> str:
    """Raises SettingsError."""
    parts = urlsplit(checked_url(SETTING, url, SCHEMES))
    if parts.fragment:
        raise SettingsError(f"{SETTING} has a #: percent-encode / : @ # ? in a password")
    if parts.scheme != "unix":
        database = unquote(parts.path).strip("/")
        parts = parts._replace(path=f"/{_database(database)}" if database else "")
    elif parts.netloc.rpartition("@")[2] or not parts.path:
        raise SettingsError(f"{SETTING} names no socket: write unix:///path/of/the/socket")
    kept = _kept(parts.query, encrypted=parts.scheme == "rediss")
    _refuse_unusable_files(kept)
    query = urlencode(kept, quote_via=quote)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def _kept(query: str, *, encrypted: bool) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError:
        raise SettingsError(f"{SETTING} has a parameter that is not name=value: percent-encode it") from None
    kept: dict[str, str] = {}
    for name, value in pairs:
        if name in kept:
            raise SettingsError(f"{SETTING} has {shown(name)} twice: leave one out")
        if name.startswith("ssl_") and not encrypted:
            raise SettingsError(f"{SETTING}: {shown(name)} encrypts nothing here: begin the URL with rediss://")
        if name in _KEPT:
            kept[name] = _KEPT[name](value)
        elif name not in _SET_BY_US:
            raise SettingsError(f"{SETTING}: {shown(name)} is no parameter that can be honoured: leave it out")
    return kept


def _refuse_unusable_files(kept: Mapping[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        for name in _TLS_FILES:
            if name in kept:
                Path(kept[name]).open("rb").close()
        name = "ssl_ca_certs"
        if name in kept:
            context.load_verify_locations(cafile=kept[name])
        name = "ssl_certfile"
        if name in kept:
            context.load_cert_chain(kept[name], kept.get("ssl_keyfile"), lambda: kept.get("ssl_password", ""))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; ValueError: no path at all
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "no path"
        raise SettingsError(f"{SETTING}: {name}={kept[name]} cannot be used ({reason}): name a file in PEM") from None
