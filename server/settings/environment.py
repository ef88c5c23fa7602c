"""Reading settings from the environment: one reader, one list of names, one kind of error for every process.

A setting that makes no sense refuses to start: SettingsError names the variable and says the fix, and a process that
meets one prints it as a single line and exits with status 78 (EX_CONFIG of sysexits.h).
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from server.settings.addresses import Network, networks_of

EXIT_CONFIG = 78
PORT_MAX = 65_535
ALIKE_MAX = 4
"""More in one line are not read."""
PREFIX = "STOCKWIRE_"
_NAMES = """
    DATABASE_URL DATABASE_URL_FILE REDIS_URL REDIS_URL_FILE CHANNEL_PREFIX TOKEN_SECRET TOKEN_SECRET_FILE
    ALLOWED_ORIGINS URL API_KEY DATA ADMIN_URLS LOG
    REQUIRE_BROWSER REQUIRE_COMPILER REQUIRE_FAULTS REQUIRE_HISTORY REQUIRE_NODE_TOOLS REQUIRE_PEERS
    REQUIRE_PROGRAMS TEST_KAFKA
    TOKEN_JWKS_URL TOKEN_ISSUER TOKEN_AUDIENCE TOKEN_ALGORITHMS TOKEN_SIGNING_KEY_FILE ALLOWED_HOSTS
    TLS_CERT_FILE TLS_KEY_FILE LEDGER_CA_FILE BEHIND_PROXY TRUSTED_PROXIES
    LEDGER_HOST LEDGER_PORT LEDGER_ADMIN_HOST LEDGER_ADMIN_PORT LEDGER_PUBLIC_URL LEDGER_URLS LEDGER_BODY_BYTES_MAX
    LEDGER_LINES_MAX LEDGER_RATE_PER_S LEDGER_DATABASE_WAIT_S LEDGER_READ_CONNECTIONS
    LEDGER_CONNECTIONS_MAX LEDGER_CONNECTIONS_PER_ADDRESS_MAX LEDGER_IN_FLIGHT_MAX
    HOLD_TTL_S_MAX HOLD_SHARE_PERCENT_MAX HOLD_CUSTOMER_UNITS_MAX HOLD_CUSTOMER_RESERVATIONS_MAX
    HOLD_OWNER_UNITS_MAX HOLD_OWNER_RESERVATIONS_MAX
    HUB_KEY HUB_KEY_FILE HUB_NODE HUB_HOST HUB_ADMIN_HOST HUB_STREAM_PORT HUB_READ_PORT HUB_ADMIN_PORT
    HUB_STREAM_URLS HUB_READ_URLS HUB_LOOP HUB_HEARTBEAT_S HUB_DRAIN_S HUB_LEVELS_MAX HUB_IDLE_LEVELS_MAX
    HUB_MESSAGE_BYTES_MAX HUB_MESSAGES_PER_MINUTE HUB_MESSAGES_BURST HUB_SKUS_MAX HUB_SUBSCRIPTIONS_MAX
    HUB_LEVELS_PER_CONNECTION_MAX HUB_CONNECTIONS_MAX HUB_AUTHENTICATE_S HUB_PING_S HUB_PONG_S HUB_STALL_S
    HUB_WRITE_BYTES_MAX HUB_SEND_BUFFER_BYTES HUB_CONNECTIONS_PER_OWNER_MAX HUB_CONNECTIONS_PER_ADDRESS_MAX
    HUB_CONNECTION_AGE_S
    CONSOLE_KEY CONSOLE_KEY_FILE CONSOLE_HOST CONSOLE_PORT CONSOLE_ORIGINS CONSOLE_SESSION_HOURS CONSOLE_VIEWERS_MAX
    CONSOLE_HUB_URLS CONSOLE_LINK_FILE CONSOLE_CONTROL_SOCKET
    CHANNELS_URL CHANNELS_KEY CHANNELS_KEY_FILE CHANNELS_HOST CHANNELS_PORT CHANNELS_ADMIN_HOST
    CHANNELS_ADMIN_PORT CHANNELS_LEASE_S CHANNELS_POLL_EVERY_S CHANNELS_RATE_PER_S
    WEBHOOKS_SEALING_KEYS WEBHOOKS_SEALING_KEYS_FILE WEBHOOKS_NETWORKS WEBHOOKS_PORTS WEBHOOKS_CA_FILE
    WEBHOOKS_TIMEOUT_S WEBHOOKS_BODY_BYTES_MAX
    EXPORTER_KEY EXPORTER_KEY_FILE EXPORTER_HOST EXPORTER_PORT EXPORTER_SKUS EXPORTER_HOTTEST EXPORTER_LEVELS_MAX
    EXPORTER_FROM_START TRACES_PER_S
    BROKER_USER BROKER_PASSWORD BROKER_PASSWORD_FILE BROKER_SASL BROKER_CA_FILE BROKER_CERT_FILE BROKER_KEY_FILE
    RELAY_TO RELAY_KEY RELAY_KEY_FILE RELAY_PREFIX RELAY_MODE RELAY_DELIVERY RELAY_SYSTEM RELAY_HOST RELAY_PORT
    INTAKE_FROM INTAKE_KEY INTAKE_KEY_FILE INTAKE_PREFIX INTAKE_SYSTEM INTAKE_WINDOW INTAKE_HOST INTAKE_PORT
    INTAKE_EPHEMERAL
    HUB_UNAUTHENTICATED_MAX HUB_HANDSHAKES_PER_S HUB_HANDSHAKES_BURST HUB_RATE_PER_S HUB_PUBLIC_LOCATIONS
    HUB_VISITORS HUB_VISITORS_MAX HUB_VISITORS_PER_ADDRESS_MAX HUB_VISITORS_PER_MINUTE
    HUB_VISITORS_PER_ADDRESS_PER_MINUTE HUB_VISITOR_SUBSCRIPTIONS_MAX HUB_VISITOR_SKUS_MAX
    HUB_VISITOR_MESSAGES_PER_MINUTE HUB_VISITOR_LEVELS_MAX
    HUB_VISITOR_LEVELS_PER_MINUTE
"""
NAMES = frozenset(PREFIX + name for name in _NAMES.split())
"""Every variable of any part of Stockwire: one environment may serve them all, so each process knows them all."""
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", re.ASCII)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff]")
_HALVES = re.compile(r"[\ud800-\udfff]")
"""Bytes of the environment that are no UTF-8: Python reads them as halves of surrogate pairs."""
_WITH_HOST = ("http", "https", "ws", "wss")
_ORIGIN = re.compile(r"https?://" + _HOST.pattern, re.ASCII)


class SettingsError(Exception):
    """A setting is missing, unknown or makes no sense. The message names it and says the fix."""


class Environment:
    """Typed, checked access to ``STOCKWIRE_*`` variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None) -> str:
        value = self._variables.get(name, "").strip() or default
        if value is None:
            raise SettingsError(f"{name} is not set: set {name}=...")
        return value

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.text(name, str(default))
        try:
            number = whole_of(value)
        except ValueError:
            raise SettingsError(f"{name}={value!r} is no whole number: set it to {low}..{high}") from None
        if not low <= number <= high:
            raise SettingsError(f"{name}={number} is out of range: set it to {low}..{high}")
        return number

    def port(self, name: str, default: int) -> int:
        """Of TCP; 0 for any that is free."""
        return self.integer(name, default, low=0, high=PORT_MAX)

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        value = self.text(name, str(default))
        try:
            number = number_of(value)
        except ValueError:
            raise SettingsError(f"{name}={value!r} is no number: set it to {low}..{high}") from None
        if not low <= number <= high:
            raise SettingsError(f"{name}={number} is out of range: set it to {low}..{high}")
        return number

    def url(self, name: str, schemes: tuple[str, ...], default: str | None = None) -> str:
        """The value is never shown in an error: it may hold a password."""
        return checked_url(name, self.text(name, default), schemes)

    def items(self, name: str) -> tuple[str, ...]:
        """A comma-separated list; empty when not set."""
        return tuple(part for part in (p.strip() for p in self.text(name, "").split(",")) if part)

    def flag(self, name: str) -> bool:
        """1 or 0; not set is 0."""
        value = self.text(name, "0")
        if value not in ("0", "1"):
            raise SettingsError(f"{name}={value!r} is neither: set it to 1 or 0")
        return value == "1"

    def networks(self, name: str) -> tuple[Network, ...]:
        """A list of addresses and networks, such as ``10.0.0.7`` and ``10.0.0.0/8``; empty when not set."""
        named = self.items(name)
        for one in named:
            try:
                networks_of([one])
            except ValueError:
                raise SettingsError(f"{name} has {one!r}: set addresses and networks, such as 10.0.0.0/8") from None
        return networks_of(named)

    def origins(self, name: str) -> tuple[str, ...]:
        """A list of origins of web pages, as browsers send them: scheme, host and perhaps a port. Or ``*``: all."""
        origins = self.items(name)
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise SettingsError(f"{name} has {origin!r}: set each origin to http(s)://host[:port], without a path")
        return origins

    def hosts(self, name: str) -> tuple[str, ...]:
        """A list of hosts as clients name them in ``Host``, each perhaps with a port; in lower case."""
        hosts = tuple(host.lower() for host in self.items(name))
        for host in hosts:
            if not _HOST.fullmatch(host):
                raise SettingsError(f"{name} has {host!r}: set each host to name[:port], without a scheme or path")
        return hosts

    def file(self, name: str, path: str, *, bytes_max: int) -> bytes:
        """The content of the file that ``name`` names. Never shown in an error."""
        try:
            with Path(path).open("rb") as file:
                content = file.read(bytes_max + 1)
        except OSError as error:
            raise SettingsError(f"{name}={path} cannot be read ({error.strerror}): name a readable file") from None
        if len(content) > bytes_max:
            raise SettingsError(f"{name}={path} has more than {bytes_max} bytes: name another file")
        return content

    def secret(self, name: str, *, bytes_min: int = 1) -> str:
        """The value of ``name``, or the content of the file that ``name_FILE`` names. Never shown in an error."""
        value = self._secret(name)
        if _HALVES.search(value):
            raise SettingsError(f"{name} is no text in UTF-8: set it again")
        if len(value.encode()) < bytes_min:
            raise SettingsError(f"{name} is too short: it needs at least {bytes_min} bytes")
        return value

    def has_secret(self, name: str) -> bool:
        """Whether ``secret`` would find ``name``, by itself or in a file."""
        return bool(self.text(name, "") or self.text(f"{name}_FILE", ""))

    def refuse_unknown(self) -> None:
        """Refuse variables that no part of Stockwire knows: most are misspelt."""
        for name in sorted(self._variables):
            if name.startswith(PREFIX) and name not in NAMES:
                alike = _alike(name)
                which = "" if len(alike) == 1 else "one of "
                fix = f", or set {which}{', '.join(alike)}" if alike else ""
                raise SettingsError(f"{name} is not a setting: unset it{fix}")

    def _secret(self, name: str) -> str:
        path = self.text(f"{name}_FILE", "")
        if path and self.text(name, ""):
            raise SettingsError(f"{name} and {name}_FILE are both set: unset one of them")
        return self._read(name, path) if path else self.text(name)

    def _read(self, name: str, path: str) -> str:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE={path} cannot be read ({error.strerror}): name a readable file") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{name}_FILE={path} is no text: name a file in UTF-8") from None


def checked_url(name: str, value: str, schemes: tuple[str, ...]) -> str:
    """``value``. Raises SettingsError, which does not show it."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # checked when it is read
        if _BLANK.search(value):  # urlsplit passes over some of them
            raise ValueError(value)
    except ValueError:
        raise SettingsError(
            f"{name} has a host or port that cannot be read: correct it, percent-encode / : @ # ? in a password"
        ) from None
    if parts.scheme not in schemes:
        raise SettingsError(f"{name} must begin with {' or '.join(s + '://' for s in schemes)}")
    if parts.scheme in _WITH_HOST and not parts.hostname:
        raise SettingsError(f"{name} names no host: write {parts.scheme}://host[:port]")
    return value


def _alike(name: str) -> list[str]:
    """What may have been meant: settings that have all its words and more, else the one that is spelt most like it."""
    words = set(name.split("_"))
    longer = sorted(known for known in NAMES if words < set(known.split("_")))
    return longer if 0 < len(longer) <= ALIKE_MAX else get_close_matches(name, sorted(NAMES), n=1)


def whole_of(text: str) -> int:
    """Digits, perhaps behind a minus. Raises ValueError for what Python takes for a number and nobody means: 1_0, +5,
    digits of other scripts, white space.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def number_of(text: str) -> float:
    """As `whole_of`, with a decimal point if it must be: no 1e3, inf or nan. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)
