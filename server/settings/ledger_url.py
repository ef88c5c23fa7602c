"""Where the ledger is, or the channels are, for every process that asks them with a key of its own."""

from urllib.parse import urlsplit

from server.settings.environment import Environment, SettingsError

SETTING = "STOCKWIRE_URL"
SCHEMES = ("http", "https")


def ledger_url_of(env: Environment, name: str = SETTING) -> str:
    """The URL that ``name`` has, without a slash at its end.

    A user or password in it is refused (RFC 9110, 4.2.4: http URLs have none): HTTP clients make the header of it in
    which the key is sent. Raises SettingsError, which does not show the URL.
    """
    url = env.url(name, SCHEMES)
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise SettingsError(
            f"{name} has a user or password before @: write {parts.scheme}://host[:port]; the key has its own setting"
        )
    if parts.query or parts.fragment:
        raise SettingsError(f"{name} has a ? or #, behind which no path can stand: write {parts.scheme}://host[:port]")
    return url.rstrip("/")
