"""Where the ledger is and with which key: arguments, else the environment, else a running `stockwire up`."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from stockwire.errors import ConfigurationError, Invalid

DATA_DEFAULT = ".stockwire"
_SHOWN_MAX = 200
_BLANK = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff]")
_FIX = "set STOCKWIRE_URL and STOCKWIRE_API_KEY, or run `stockwire up`, or name its folder in STOCKWIRE_DATA"


@dataclass(frozen=True, slots=True)
class Settings:
    """``url``: the ledger's, without a slash at its end. ``key``: an API key or a token; None reads what needs none.
    ``ca_file``: STOCKWIRE_LEDGER_CA_FILE."""

    url: str
    key: str | None = field(repr=False)
    ca_file: str | None = None

    def trust(self) -> ssl.SSLContext | None:
        """For https and wss: believes ``ca_file`` and what it has signed, and nobody else. None: the usual authorities.

        Raises ConfigurationError.
        """
        if self.ca_file is None:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            reason = "no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigurationError(f"STOCKWIRE_LEDGER_CA_FILE={self.ca_file} cannot be used: {reason}") from None


def resolve(url: str | None, key: str | None, environment: Mapping[str, str]) -> Settings:
    """Raises ConfigurationError; Invalid for what is no text at all.

    The key of run.json is used only together with its URL: a key never goes to a system that it was not made for.
    """
    for argument, value in (("url", url), ("key", key)):
        if not isinstance(value, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
            raise Invalid(argument, f"a {type(value).__name__} is no text")
    url = url or environment.get("STOCKWIRE_URL") or None
    key = key or environment.get("STOCKWIRE_API_KEY") or None
    if url is None:
        run = _read_run(Path(environment.get("STOCKWIRE_DATA") or DATA_DEFAULT) / "run.json")
        url, key = run.url, key or run.key
    ca_file = environment.get("STOCKWIRE_LEDGER_CA_FILE", "").strip() or None
    return Settings(_checked_url(url), None if key is None else _checked_key(key), ca_file)


def _checked_url(url: str) -> str:
    """Never shows what may hold a password. A line end behind it, as files and shells leave one, is no part of it."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port  # read here: a port that is none raises only then
        if host is not None and ":" not in host:
            host.encode("idna")
    except ValueError:
        raise ConfigurationError(
            "the URL of the ledger has a host or port that cannot be read: write http(s)://host[:port]"
        ) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ConfigurationError(f"{_shown(url)} is no URL of a ledger: it is http(s)://host[:port]")
    if _BLANK.search(url) or parts.query or parts.fragment:
        raise ConfigurationError(f"{_shown(url)} is no URL of a ledger: take out blanks, and what begins with ? or #")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "the URL of the ledger has a user before @: write http(s)://host[:port], and the API key by itself"
        )
    return url.rstrip("/")


def _shown(url: str) -> str:
    return repr(url if "@" not in url and len(url) <= _SHOWN_MAX else f"{url.partition(':')[0][:8]}:...")


def _checked_key(key: str) -> str:
    key = key.strip()
    # A stray newline or a smart quote would otherwise fail deep in the HTTP library, as if the network were to blame
    if not key or not all("!" <= character <= "~" for character in key):
        raise ConfigurationError("the API key has characters that no key has: copy it again")
    return key


def _read_run(path: Path) -> Settings:
    try:
        run = orjson.loads(path.read_bytes())
        return Settings(_checked_url(str(run["ledger"])), str(run["key"]))
    except FileNotFoundError:
        raise ConfigurationError(f"no ledger named and no {path}: {_FIX}") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}): {_FIX}") from None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise ConfigurationError(f"{path} does not name a ledger and a key: {_FIX}") from None
