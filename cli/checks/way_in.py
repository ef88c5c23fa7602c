"""Where the system under examination is, for a client: its ledger and a key."""

from collections.abc import Mapping
from pathlib import Path

from server.settings.environment import Environment
from stockwire.errors import ConfigurationError
from stockwire.settings import Settings, resolve


def find_way_in(data: Path, variables: Mapping[str, str]) -> Settings | None:
    """As a client finds it in ``variables`` and ``data``, else a ledger that hubs are told of. None: nothing is named.

    Raises ConfigurationError for a STOCKWIRE_URL that is none, or a key that cannot be one.
    """
    try:
        return resolve(None, None, {**variables, "STOCKWIRE_DATA": str(data)})
    except ConfigurationError:
        if variables.get("STOCKWIRE_URL"):
            raise
        urls = Environment(variables).items("STOCKWIRE_LEDGER_URLS")
        return resolve(urls[0], None, variables) if urls else None
