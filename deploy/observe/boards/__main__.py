"""``python -m deploy.observe.boards``: writes every dashboard as JSON, as Grafana takes it."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observe.boards.hubs import hubs
from deploy.observe.boards.launch import launch
from deploy.observe.boards.ledger import ledger
from deploy.observe.boards.servers import database_and_broker

FOLDER = Path(__file__).parent.parent / "dashboards"


def dashboards() -> dict[str, Dashboard]:
    """By the name of the file."""
    return {
        "launch.json": launch(),
        "ledger.json": ledger(),
        "hubs.json": hubs(),
        "database-and-broker.json": database_and_broker(),
    }


def written(dashboard: Dashboard) -> str:
    return json.dumps(dashboard, cls=JSONEncoder, indent=1, sort_keys=True, allow_nan=False) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, dashboard in dashboards().items():
        (FOLDER / name).write_text(written(dashboard))


if __name__ == "__main__":
    main()
