"""Libraries that are installed only where somebody asks for what needs them: extras, each with a lock file."""

import sys

from server.settings.environment import SettingsError

BROKERS = "brokers", "requirements-streams.txt"
TRACES = "traces", "requirements-tracing.txt"


def not_installed(needing: str, lock: str, missing: object, instead: str = "") -> SettingsError:
    """With the line that installs it into this environment, also where, as ``make up`` leaves it, that has no pip."""
    return SettingsError(
        f"{needing} need libraries that are not installed: {instead}run"
        f" python3 -m pip --python {sys.executable} install --require-hashes -r {lock} ({missing})"
    )
