"""What each parameter of a database URL means here.

Every one of libpq (PostgreSQL 18, "Parameter Key Words") stands in exactly one table: honoured, taken where it says
what is done anyway, or refused with what to write instead. What secures a connection is never passed over in silence.
"""

import re
from collections.abc import Callable, Mapping

from server.settings.environment import SettingsError

SETTING = "STOCKWIRE_DATABASE_URL"
CONNECT_TIMEOUT_S_MAX = 60
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SYSTEM_ROOTS = "system"
"""As sslrootcert: the authorities that the operating system believes."""
_NO = ("0", "off", "false", "no")
_UTF8 = ("auto", "utf8", "utf-8", "unicode")

FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
TLS = (*FILES, "sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version")
"""Passed on as they are: asyncpg gives them libpq's meaning."""
_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

TAKEN: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "target_session_attrs": (
        lambda value: value in ("any", "read-write", "primary"),
        "write read-write: a ledger writes",
    ),
    "load_balance_hosts": (lambda value: value in ("disable", "random"), "write disable or random"),
    "client_encoding": (lambda value: value.lower() in _UTF8, "write UTF8"),
    "channel_binding": (
        lambda value: value in ("disable", "prefer"),
        "write channel_binding=prefer, and sslmode=verify-full&sslrootcert=system (or a file), which proves the server",
    ),
    "gssencmode": (lambda value: value in ("disable", "prefer"), "write disable, and encrypt with sslmode"),
    "gssdelegation": (lambda value: value in _NO, "leave it out"),
    "sslcertmode": (lambda value: value == "allow", "leave it out"),
    "sslcompression": (lambda value: value in ("0", "1"), "leave it out"),
    "sslsni": (lambda value: value == "1", "leave it out: the name is always sent"),
    "replication": (lambda value: value in _NO, "leave it out"),
    "min_protocol_version": (lambda value: value == "3.0", "write 3.0"),
    "max_protocol_version": (lambda value: value in ("3.0", "3.2", "latest"), "write latest"),
    "keepalives": (lambda value: value in ("0", "1"), "leave it out"),
    **dict.fromkeys(
        ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
        (str.isdecimal, "write a whole number"),
    ),
}
"""Taken if they say what is done anyway, or only tune what has bounds of its own (``keepalives``: every statement has a
deadline); with what to write instead."""

REFUSED: Mapping[str, str] = {
    "hostaddr": "name the address as the host",
    "service": "write what it stands for into the URL",
    "require_auth": "choose the method in the server's pg_hba.conf",
    "requirepeer": "leave it out, and let only the server write to its socket's folder",
    "requiressl": "write sslmode=require",
    "sslcrldir": "name one file with sslcrl",
    "sslkeylogfile": "leave it out",
    "krbsrvname": "use a password or a certificate",
    "gsslib": "use a password or a certificate",
    "scram_client_key": "use the password",
    "scram_server_key": "use the password",
    **{
        f"oauth_{name}": "use a password or a certificate"
        for name in ("issuer", "client_id", "client_secret", "scope", "ca_file")
    },
}
_NAMES_OF_OURS = """
    timezone idle_in_transaction_session_timeout lock_timeout jit plan_cache_mode enable_seqscan
    tcp_keepalives_idle tcp_keepalives_interval tcp_keepalives_count client_encoding
"""
_OURS = frozenset(_NAMES_OF_OURS.split())
"""Settings of a session that the ledger makes itself, and counts on."""
HONOURED = frozenset(
    (
        *("host", "port", "dbname", "user", "password", "passfile", "sslmode", "ssl", *TLS),
        *("connect_timeout", "application_name", "fallback_application_name", "options"),
    )
)


def refuse_unhonoured(given: Mapping[str, str]) -> None:
    for name, value in given.items():
        if name in REFUSED:
            raise SettingsError(f"{SETTING}: {name} cannot be honoured: {REFUSED[name]}")
        if name in TAKEN:
            fits, fix = TAKEN[name]
            if not fits(value):
                raise SettingsError(f"{SETTING}: {name}={shown(value)} cannot be honoured: {fix}")
        elif name not in HONOURED:
            raise SettingsError(
                f"{SETTING}: {shown(name)} is no parameter of a connection: correct it, or write a setting of the "
                "server as options=-c%20name%3Dvalue"
            )


def ssl_mode(given: Mapping[str, str]) -> str | None:
    """``ssl`` as others write it: true, or a mode."""
    mode = given.get("sslmode")
    if "ssl" in given:
        named = "require" if given["ssl"] == "true" else given["ssl"]
        if mode not in (None, named):
            raise SettingsError(f"{SETTING} has sslmode and ssl, which differ: leave ssl out")
        mode = named
    roots = given.get("sslrootcert")
    if roots == SYSTEM_ROOTS:
        mode = mode or "verify-full"
        if mode != "verify-full":
            raise SettingsError(
                f"{SETTING}: sslrootcert=system cannot be honoured with sslmode={shown(mode)}: "
                "write sslmode=verify-full"
            )
    if mode is not None and mode not in SSL_MODES:
        raise SettingsError(f"{SETTING}: sslmode={shown(mode)} is not known: write one of {', '.join(SSL_MODES)}")
    if given.get("sslnegotiation", "postgres") not in ("postgres", "direct"):
        raise SettingsError(f"{SETTING}: sslnegotiation is not known: write postgres or direct")
    if given.get("sslnegotiation") == "direct" and SSL_MODES.index(mode or "prefer") < SSL_MODES.index("require"):
        raise SettingsError(f"{SETTING}: sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    for name in ("ssl_min_protocol_version", "ssl_max_protocol_version"):
        if given.get(name, _VERSIONS[0]) not in _VERSIONS:
            raise SettingsError(f"{SETTING}: {name} is not known: write one of {', '.join(_VERSIONS)}")
    return mode


def connect_timeout_s(given: Mapping[str, str]) -> float | None:
    """For each host. 0 and below: for ever in libpq, and here the default, since every wait has an end."""
    text = given.get("connect_timeout")
    if text is None:
        return None
    if not re.fullmatch("-?[0-9]{1,9}", text, re.ASCII):
        raise SettingsError(f"{SETTING}: connect_timeout is no whole number: write seconds")
    seconds = int(text)
    return float(min(seconds, CONNECT_TIMEOUT_S_MAX)) if seconds > 0 else None


def session(given: Mapping[str, str]) -> dict[str, str]:
    name = given.get("application_name") or given.get("fallback_application_name")
    settings = {} if name is None else {"application_name": name}
    if "options" in given:
        for option in re.findall(r"(?:-c\s*|--)([A-Za-z_.-]+)\s*=", given["options"]):
            if (ours := option.replace("-", "_").lower()) in _OURS:
                raise SettingsError(f"{SETTING}: options set {ours}, which the ledger sets itself: leave that one out")
        settings["options"] = given["options"]
    return settings


def shown(text: str) -> str:
    """Of a name or value that may be anything, also a part of a password that was not encoded: letters, and no more."""
    return text if re.fullmatch(r"[A-Za-z_-]{1,40}", text) else "what is written there"
