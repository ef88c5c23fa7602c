"""Whom our own commands believe at https addresses: STOCKWIRE_LEDGER_CA_FILE, as the hubs do, else the usual ones."""

import os
import ssl
from collections.abc import Mapping

from server.settings.environment import Environment
from server.tls.certificate import ca_file_of, trusting


def trusted(variables: Mapping[str, str] | None = None) -> ssl.SSLContext | bool:
    """For httpx's ``verify``. ``variables``: the environment unless given. Raises SettingsError."""
    ca_file = ca_file_of(Environment(os.environ if variables is None else variables))
    return True if ca_file is None else trusting(ca_file)
