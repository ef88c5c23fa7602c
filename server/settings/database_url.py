"""Where the database is: a URL as libpq takes it, or one line that says what to change. Reads files it names.

Taken apart as libpq does it. What the parameters mean: ``database_parameters``.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlencode

from server.settings.database_parameters import (
    FILES,
    SETTING,
    SYSTEM_ROOTS,
    TLS,
    connect_timeout_s,
    refuse_unhonoured,
    session,
    shown,
    ssl_mode,
)
from server.settings.environment import Environment, SettingsError

SCHEMES = ("postgresql", "postgres")
PORT_DEFAULT = 5432

_UNREADABLE = "has a host or port that cannot be read: correct it, percent-encode / : @ # ? in a password"
_HOST = re.compile(r"[^\s\[\]@:/?#,\x00-\x1f\x7f]{1,255}")
_HOST_AND_PORT = re.compile(r"([^:/\[\]]+):([0-9]+)")


@dataclass(frozen=True, slots=True)
class Host:
    """``name``: a host name, an address, or the folder of a Unix socket."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """``hosts``: in the order in which they are tried; empty for the default of this machine. None: not named.

    ``tls``: parameters of libpq beside ``ssl_mode``. ``session``: settings that every session begins with.
    """

    hosts: tuple[Host, ...]
    database: str | None
    user: str | None
    password: str | None = field(repr=False)
    passfile: str | None
    ssl_mode: str | None
    tls: Mapping[str, str] = field(repr=False)
    connect_timeout_s: float | None
    session: Mapping[str, str]

    @property
    def tls_dsn(self) -> str:
        """asyncpg takes files for TLS in a URL only."""
        given = {name: value for name, value in self.tls.items() if (name, value) != ("sslrootcert", SYSTEM_ROOTS)}
        return "postgresql://" + (f"?{urlencode(given)}" if given else "")

    def ssl(self) -> str | ssl.SSLContext | None:
        """As asyncpg takes it beside ``tls_dsn``."""
        if self.tls.get("sslrootcert") != SYSTEM_ROOTS:
            return self.ssl_mode
        context = ssl.create_default_context()
        context.set_alpn_protocols(["postgresql"])
        return context


def database_url_of(env: Environment) -> str:
    """The URL, known to be good; or the content of the file that ``STOCKWIRE_DATABASE_URL_FILE`` names.

    Raises SettingsError, which never shows the value: it may hold a password.
    """
    url = env.secret("STOCKWIRE_DATABASE_URL")
    refuse_unusable_files(read_database_url(url))
    return url


def read_database_url(url: str) -> DatabaseUrl:
    """Raises SettingsError."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise SettingsError(f"{SETTING} must begin with {' or '.join(s + '://' for s in SCHEMES)}")
    user, password, rest = _credentials(rest)
    place, _, query = rest.partition("?")
    netloc, _, path = place.partition("/")
    given = _parameters(query)
    refuse_unhonoured(given)
    hosts = _hosts(netloc) if "host" not in given else ()
    return DatabaseUrl(
        hosts=_hosts_by_parameters(hosts, given),
        database=given.get("dbname") or _decoded(path) or None,
        user=given.get("user") or user or None,
        password=given.get("password") or password or None,
        passfile=given.get("passfile"),
        ssl_mode=ssl_mode(given),
        tls={name: given[name] for name in TLS if name in given},
        connect_timeout_s=connect_timeout_s(given),
        session=session(given),
    )


def refuse_unusable_files(url: DatabaseUrl) -> None:
    """Raises SettingsError for a file of certificates or keys that could not be used, instead of waiting for a database
    that can never be reached with it."""
    files = {name: url.tls[name] for name in FILES if name in url.tls}
    if files.get("sslrootcert") == SYSTEM_ROOTS:
        del files["sslrootcert"]
    for name, path in files.items():
        try:
            Path(path).open("rb").close()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no path"
            raise SettingsError(f"{SETTING}: {name}={path} cannot be read ({reason}): name a readable file") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("sslrootcert", "sslcrl"):
        if name in files:
            _try(name, files[name], lambda path: context.load_verify_locations(cafile=path))
    if "sslcert" in files:
        passphrase = url.tls.get("sslpassword", "")
        key = files.get("sslkey")
        _try("sslcert", files["sslcert"], lambda path: context.load_cert_chain(path, key, lambda: passphrase))


def _try(name: str, path: str, load: Callable[[str], None]) -> None:
    try:
        load(path)
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error.strerror or "not PEM"
        fix = "name a certificate and its key (sslkey), both PEM" if name == "sslcert" else "name a file in PEM"
        raise SettingsError(f"{SETTING}: {name}={path} cannot be used ({reason}): {fix}") from None


# --- the parts of a URL, as libpq's conninfo_uri_parse_options takes them apart


def _credentials(rest: str) -> tuple[str, str, str]:
    """User, password, and what follows them. Everything before the first @ that no / comes before."""
    before, at, after = rest.partition("@")
    if not at or "/" in before:
        return "", "", rest
    user, _, password = before.partition(":")
    return _decoded(user), _decoded(password), after


def _hosts(netloc: str) -> tuple[Host, ...]:
    if not netloc:
        return ()
    return tuple(_host(one) for one in netloc.split(","))


def _host(text: str) -> Host:
    if text.startswith("["):
        name, closed, port = text[1:].partition("]")
        if not closed or not re.fullmatch(r"[0-9A-Fa-f:.]+(%[\w.-]+)?", name, re.ASCII) or port[:1] not in ("", ":"):
            raise SettingsError(f"{SETTING} {_UNREADABLE}")
        return Host(name, _port(port[1:]))
    encoded, _, port = text.partition(":")
    name = _decoded(encoded)
    if not (name.startswith("/") or _HOST.fullmatch(name)):
        raise SettingsError(f"{SETTING} {_UNREADABLE}")
    return Host(name, _port(port))


def _port(text: str) -> int:
    if not text:
        return PORT_DEFAULT
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 65535):
        raise SettingsError(f"{SETTING} {_UNREADABLE}")
    return int(text)


def _hosts_by_parameters(hosts: tuple[Host, ...], given: Mapping[str, str]) -> tuple[Host, ...]:
    """``host`` and ``port`` of the query stand above those before it; one port may serve several hosts."""
    if "host" in given:
        hosts = tuple(_host_by_parameter(name) for name in given["host"].split(","))
    if "port" not in given:
        return hosts
    ports = [_port(port) for port in given["port"].split(",")]
    hosts = hosts or (Host("", PORT_DEFAULT),)
    if len(ports) not in (1, len(hosts)):
        raise SettingsError(
            f"{SETTING} has {len(ports)} ports for {len(hosts)} hosts: name one for each, or one for all"
        )
    return tuple(Host(host.name, ports[min(number, len(ports) - 1)]) for number, host in enumerate(hosts))


def _host_by_parameter(name: str) -> Host:
    """A folder, an address of IPv6 without brackets, or as before the query."""
    if name.startswith("/") or (":" in name and not _HOST_AND_PORT.fullmatch(name) and not name.startswith("[")):
        return _host(f"[{name}]") if ":" in name and not name.startswith("/") else Host(name, PORT_DEFAULT)
    return _host(name.replace("%", "%25"))


def _parameters(query: str) -> dict[str, str]:
    """An empty value says nothing, as in libpq. ``host`` may come several times, as SQLAlchemy writes it."""
    given: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        name = _decoded(name)
        if not equals or "=" in value:
            raise SettingsError(f"{SETTING} has a parameter that is not name=value: write = and & in it as %3D and %26")
        if name == "host" and name in given:
            given[name] += f",{_decoded(value)}"
        elif name in given:
            raise SettingsError(f"{SETTING} has {shown(name)} twice: leave one out")
        else:
            given[name] = _decoded(value)
    return {name: value for name, value in given.items() if value}


def _decoded(text: str) -> str:
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise SettingsError(f"{SETTING} has a % that two digits do not follow: write it as %25")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise SettingsError(f"{SETTING} has percent-encoded bytes that are no UTF-8: correct them") from None
    if re.search(r"[\x00-\x1f\x7f]", decoded) or not _encodable(decoded):
        raise SettingsError(f"{SETTING} has a control character, or bytes that are no UTF-8: take them out")
    return decoded


def _encodable(text: str) -> bool:
    """Bytes of the environment that are no UTF-8 come as halves of a surrogate pair."""
    return text.isascii() or not re.search("[\ud800-\udfff]", text)
