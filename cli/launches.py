"""How `stockwire up` runs a ledger, its hubs and what it may run beside them: their command lines and settings."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.access import PreparedAccess
from cli.data_folder import DataFolder
from cli.launch import Launch
from cli.ports import HOST, HubPorts, Ports
from cli.sample_shop import LOCATION

HUB_DRAIN_S = 1.0  # nobody else serves these clients meanwhile, and whoever pressed Ctrl-C waits
HUB_STOP_TIMEOUT_S = 10.0
CONSOLE_STOP_TIMEOUT_S = 5.0
CHANNELS_STOP_TIMEOUT_S = 25.0
"""What is in flight to a receiver that hangs is waited for."""
EXPORTER_STOP_TIMEOUT_S = 10.0
RELAY_STOP_TIMEOUT_S = 15.0
"""What its broker has not answered yet is waited for."""


def ledger_url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.ledger}"


def page_url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.page}"


def page_origins(ports: Ports) -> list[str]:
    return [page_url(ports), f"http://localhost:{ports.page}"]


def console_url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.console}"


def channels_url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.channels}"


def channels_admin_url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.channels_admin}"


def exporter_url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.exporter}"


def relay_url(ports: Ports) -> str:
    return f"http://{HOST}:{ports.relay}"


def stream_urls(ports: Ports) -> list[str]:
    return [f"ws://{HOST}:{hub.stream}/v1/stream" for hub in ports.hubs]


def read_urls(ports: Ports) -> list[str]:
    return [f"http://{HOST}:{hub.read}" for hub in ports.hubs]


def admin_urls(ports: Ports) -> dict[str, str]:
    """Of what makes and shows stock: the ledger and the hubs."""
    hubs = {f"hub-{number}": f"http://{HOST}:{hub.admin}" for number, hub in enumerate(ports.hubs, 1)}
    return {"ledger": f"http://{HOST}:{ports.ledger_admin}", **hubs}


def shared_settings(
    database_url: str,
    redis_url: str,
    channel_prefix: str,
    access: PreparedAccess,
    ports: Ports,
    origins: Sequence[str],
    *,
    channels: bool,
) -> dict[str, str]:
    """What every process of the system is told; the data folder keeps it for other commands.

    ``origins``: of pages that may call, beside our own. ``channels``: whether it runs them.
    """
    return {
        "STOCKWIRE_DATABASE_URL": database_url,
        "STOCKWIRE_REDIS_URL": redis_url,
        "STOCKWIRE_CHANNEL_PREFIX": channel_prefix,
        "STOCKWIRE_TOKEN_SECRET": access.token_secret,
        "STOCKWIRE_ALLOWED_ORIGINS": ",".join([*page_origins(ports), *origins]),
        "STOCKWIRE_LEDGER_URLS": ledger_url(ports),
        "STOCKWIRE_HUB_KEY": access.hub_key,
        "STOCKWIRE_HUB_STREAM_URLS": ",".join(stream_urls(ports)),
        "STOCKWIRE_HUB_READ_URLS": ",".join(read_urls(ports)),
        **({"STOCKWIRE_CHANNELS_URL": channels_url(ports)} if channels else {}),
    }


def ledger_launch(folder: DataFolder, shared: Mapping[str, str], ports: Ports) -> Launch:
    return Launch(
        name="ledger",
        argv=(sys.executable, "-P", "-m", "ledger"),
        environment={
            **{name: value for name, value in shared.items() if name not in _HUB_ONLY},
            "STOCKWIRE_LEDGER_HOST": HOST,
            "STOCKWIRE_LEDGER_PORT": str(ports.ledger),
            "STOCKWIRE_LEDGER_ADMIN_PORT": str(ports.ledger_admin),
        },
        log=folder.path / "ledger.log",
    )


def hub_launch(folder: DataFolder, shared: Mapping[str, str], number: int, ports: HubPorts) -> Launch:
    """``number`` from 1."""
    name = f"hub-{number}"
    return Launch(
        name=name,
        argv=(sys.executable, "-P", "-m", "hub"),
        environment={
            **{key: value for key, value in shared.items() if key not in _LEDGER_ONLY},
            "STOCKWIRE_HUB_HOST": HOST,
            "STOCKWIRE_HUB_STREAM_PORT": str(ports.stream),
            "STOCKWIRE_HUB_READ_PORT": str(ports.read),
            "STOCKWIRE_HUB_ADMIN_PORT": str(ports.admin),
            "STOCKWIRE_HUB_NODE": name,
            "STOCKWIRE_HUB_DRAIN_S": str(HUB_DRAIN_S),
            "STOCKWIRE_HUB_PUBLIC_LOCATIONS": LOCATION,
            "STOCKWIRE_HUB_VISITORS": "1",  # for pages of one's own, with a badge
        },
        log=folder.path / f"{name}.log",
        stop_timeout_s=HUB_STOP_TIMEOUT_S,
    )


def console_launch(folder: DataFolder, key: str, link: Path, control: Path, ports: Ports) -> Launch:
    """``link``: the file with the word of the one-time link. ``control``: the socket by which it asks `up`."""
    return Launch(
        name="console",
        argv=(sys.executable, "-P", "-m", "console"),
        environment={
            "STOCKWIRE_URL": ledger_url(ports),
            "STOCKWIRE_CONSOLE_KEY": key,
            "STOCKWIRE_ADMIN_URLS": ",".join(admin_urls(ports).values()),
            "STOCKWIRE_CONSOLE_HOST": HOST,
            "STOCKWIRE_CONSOLE_PORT": str(ports.console),
            "STOCKWIRE_CONSOLE_LINK_FILE": str(link),
            "STOCKWIRE_CONSOLE_CONTROL_SOCKET": str(control),
            "STOCKWIRE_DATA": str(folder.path),
        },
        log=folder.path / "console.log",
        stop_timeout_s=CONSOLE_STOP_TIMEOUT_S,
    )


def channels_launch(folder: DataFolder, key: str, database_url: str, sealing_keys: Path, ports: Ports) -> Launch:
    """Receivers on this machine may be reached: whoever tries webhooks has theirs here."""
    return Launch(
        name="channels",
        argv=(sys.executable, "-P", "-m", "followers"),
        environment={
            "STOCKWIRE_URL": ledger_url(ports),
            "STOCKWIRE_CHANNELS_KEY": key,
            "STOCKWIRE_DATABASE_URL": database_url,
            "STOCKWIRE_WEBHOOKS_SEALING_KEYS_FILE": str(sealing_keys),
            "STOCKWIRE_WEBHOOKS_NETWORKS": "127.0.0.0/8,::1",
            "STOCKWIRE_CHANNELS_HOST": HOST,
            "STOCKWIRE_CHANNELS_PORT": str(ports.channels),
            "STOCKWIRE_CHANNELS_ADMIN_PORT": str(ports.channels_admin),
        },
        log=folder.path / "channels.log",
        stop_timeout_s=CHANNELS_STOP_TIMEOUT_S,
    )


def exporter_launch(folder: DataFolder, key: str, ports: Ports) -> Launch:
    return Launch(
        name="exporter",
        argv=(sys.executable, "-P", "-m", "followers.exporter"),
        environment={
            "STOCKWIRE_URL": ledger_url(ports),
            "STOCKWIRE_EXPORTER_KEY": key,
            "STOCKWIRE_EXPORTER_HOST": HOST,
            "STOCKWIRE_EXPORTER_PORT": str(ports.exporter),
        },
        log=folder.path / "exporter.log",
        stop_timeout_s=EXPORTER_STOP_TIMEOUT_S,
    )


def relay_launch(folder: DataFolder, key: str, to: str, ports: Ports) -> Launch:
    """``to``: the broker's URL."""
    return Launch(
        name="relay",
        argv=(sys.executable, "-P", "-m", "followers.relay"),
        environment={
            "STOCKWIRE_URL": ledger_url(ports),
            "STOCKWIRE_RELAY_TO": to,
            "STOCKWIRE_RELAY_KEY": key,
            "STOCKWIRE_RELAY_HOST": HOST,
            "STOCKWIRE_RELAY_PORT": str(ports.relay),
        },
        log=folder.path / "relay.log",
        stop_timeout_s=RELAY_STOP_TIMEOUT_S,
    )


# A hub never sees the database, a ledger never the hubs' key
_HUB_ONLY = ("STOCKWIRE_LEDGER_URLS", "STOCKWIRE_HUB_KEY")
_LEDGER_ONLY = (
    *("STOCKWIRE_DATABASE_URL", "STOCKWIRE_HUB_STREAM_URLS", "STOCKWIRE_HUB_READ_URLS"),
    "STOCKWIRE_CHANNELS_URL",
)
