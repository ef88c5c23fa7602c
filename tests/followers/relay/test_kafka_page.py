"""The page on Kafka, from its first block to its last, over the broker of the tests."""

from pathlib import Path

import pytest

from cli.access import SCOPES
from tests.docs.following import Follower
from tests.docs.running import Reader
from tests.harness.brokers.noida import Noida
from tests.harness.servers import free_port
from tests.harness.source import ROOT
from tests.harness.system import ResidentSystem


@pytest.mark.usefixtures("processes")
async def test_the_page_is_followed(system: ResidentSystem, kafka: Noida, stream_prefix: str, tmp_path: Path) -> None:
    await system.start_ledger()
    reader = Reader.of_system(tmp_path, system, await system.key("owner", *SCOPES))
    port = free_port()
    ours = f"STOCKWIRE_RELAY_PORT={port} STOCKWIRE_RELAY_PREFIX={stream_prefix}"
    reader.meant = {
        "127.0.0.1:9092": kafka.address,
        "stockwire relay --to": f"{ours} stockwire relay --to",
        "127.0.0.1:8078": f"127.0.0.1:{port}",
        '["stockwire.events"]': f'["{stream_prefix}.events"]',
    }
    await Follower(reader, ROOT / "docs" / "how-to" / "kafka.md").follow()
