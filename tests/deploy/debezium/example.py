"""What `stockwire cdc-config` prints: `-m tests.deploy.debezium.example` writes an example to deploy/debezium."""

from cli import cdc
from cli.cdc import Place
from tests.harness.source import ROOT

FOLDER = ROOT / "deploy" / "debezium"
PLACE = Place("postgres.example", 5432, "stockwire", "public", 180006, "0123456789ab-1mluz9h6uyt40-1", 4)


def files() -> dict[str, str]:
    """By name."""
    configuration = cdc.connector(PLACE, prefix="stockwire", system="stockwire", role="stockwire_cdc")
    return {
        "connector.json": cdc.as_json("stockwire", configuration) + "\n",
        "connector.properties": cdc.as_properties("stockwire", configuration) + "\n",
    }


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text)
