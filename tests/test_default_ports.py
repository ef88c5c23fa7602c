"""What listens where unless somebody says otherwise: all processes may run on one machine."""

import re

import pytest

from console.settings import read_settings as read_console_settings
from followers.exporter.settings import read_settings as read_exporter_settings
from followers.intake.settings import read_settings as read_intake_settings
from followers.relay.settings import read_settings as read_relay_settings
from followers.settings import read_settings as read_channels_settings
from hub.__main__ import WORKERS_MAX
from hub.settings import ADMIN_PORT
from hub.settings import read_settings as read_hub_settings
from ledger.settings import read_settings as read_ledger_settings
from server.settings.environment import Environment
from tests.harness.source import REFERENCE
from tests.test_senseless_settings import CHANNELS, CONSOLE, EXPORTER, HUB, INTAKE, LEDGER, RELAY

PROCESSES = (
    (read_ledger_settings, LEDGER),
    (read_hub_settings, HUB),
    (read_console_settings, CONSOLE),
    (read_channels_settings, CHANNELS),
    (read_exporter_settings, EXPORTER),
    (read_relay_settings, RELAY),
    (read_intake_settings, INTAKE),
)


def test_a_process_takes_the_port_of_another_that_has_its_default_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each worker of a hub has an admin port of its own, behind the first one's."""
    defaults: dict[str, int] = {}

    def noting(self: Environment, name: str, default: int) -> int:
        return defaults.setdefault(name, default)

    monkeypatch.setattr(Environment, "port", noting)
    for read, variables in PROCESSES:
        read(variables)
    first = defaults[ADMIN_PORT]
    taken = sorted([*defaults.values(), *range(first + 1, first + WORKERS_MAX)])
    assert taken == sorted(set(taken))
    page = (REFERENCE / "settings.md").read_text().partition("## Ports")[2].partition("## Tests")[0]
    cells = " ".join(re.findall(r"^\| ([0-9, to]+) \|", page, re.MULTILINE))
    assert {*defaults.values(), taken[-1]} <= set(map(int, re.findall(r"\d+", cells)))
