"""`up --stream` with the other brokers, and with one of yours, each with a system of its own. Whole only."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cli.stream_brokers import KAFKA, RABBITMQ
from tests.cli.streaming import SAMPLE, sold, streaming
from tests.harness.brokers.noida import need_noida
from tests.harness.brokers.rabbitmq import need_rabbitmq
from tests.harness.size import SIZE

pytestmark = [
    pytest.mark.usefixtures("campaign"),
    pytest.mark.skipif(SIZE.share < 1, reason="a system for each broker: make campaign; the suite has NATS"),
]


@pytest.mark.parametrize(("kind", "need"), [(KAFKA, need_noida), (RABBITMQ, need_rabbitmq)])
async def test_what_is_sold_is_read_by_the_printed_line(
    tmp_path: Path, servers: dict[str, str], kind: str, need: Callable[[], None]
) -> None:
    need()
    with streaming(tmp_path, kind, servers) as up:
        assert (await sold(up, "FIRST"))["subject"] == f"shop/{SAMPLE}"
    running = psutil.process_iter(["cmdline"])
    assert not [one for one in running if str(tmp_path) in " ".join(one.info["cmdline"] or ())], "what it started"


async def test_a_broker_of_yours_is_written_to_and_none_is_started(
    tmp_path: Path, servers: dict[str, str], stream_prefix: str, request: pytest.FixtureRequest
) -> None:
    need_noida()
    kafka = request.getfixturevalue("kafka")
    named = {"STOCKWIRE_RELAY_TO": f"kafka://{kafka.address}", "STOCKWIRE_RELAY_PREFIX": stream_prefix}
    with streaming(tmp_path, KAFKA, {**servers, **named}) as up:
        assert up.run["stream"] == named["STOCKWIRE_RELAY_TO"]
        assert "kafka" not in up.run["pids"]
        assert (await sold(up, "FIRST"))["subject"] == f"shop/{SAMPLE}"
