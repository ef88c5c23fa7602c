"""How many files this process may open: each connection to a receiver is one."""

import resource

from followers.webhooks.leased import IN_FLIGHT_OF_ALL_MAX
from server.settings.environment import SettingsError

FILES_BESIDE = 512
"""Connections to the ledger and the database, those of the API's clients, libraries, the log."""
FILES_WANTED = 65_536
"""Connections that nothing is sent over are kept for a while, and most systems let a process ask for so many."""


def open_enough_files() -> None:
    """Asks for more than processes begin with. Raises SettingsError if what it may have is too few."""
    needed = IN_FLIGHT_OF_ALL_MAX + FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if possible < needed:
        raise SettingsError(
            f"{possible} files may be open, and {needed} are needed, one for each message that is under way: raise the"
            f" limit (ulimit -Hn {needed}, LimitNOFILE of systemd, --ulimit nofile of docker)"
        )
    if soft != resource.RLIM_INFINITY and soft < possible:
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
