"""`up --stream`: a broker of this machine, a relay that writes to it, and a line that reads what is written."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.settings import UpSettings
from cli.stream_brokers import KAFKA, NATS, RABBITMQ
from server.settings.environment import EXIT_CONFIG, SettingsError
from tests.cli.running import PROGRAM
from tests.cli.streaming import SAMPLE, sold, streaming
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")


async def test_what_is_sold_is_read_by_the_printed_line_also_after_kills_of_broker_and_relay(
    tmp_path: Path, servers: dict[str, str]
) -> None:
    with streaming(tmp_path, NATS, servers) as up:
        message = await sold(up, "FIRST")
        assert (message["subject"], message["type"]) == (f"shop/{SAMPLE}", "stockwire.stock.sale.v1")
        assert message["data"]["on_hand_delta"] == -1
        before = up.run
        assert before["stream"].startswith("nats://127.0.0.1:")
        assert before["stream"] in up.printed_line("Stream ")
        for name in ("nats", "relay"):
            os.kill(before["pids"][name], signal.SIGKILL)
        await up.replaced(before["pids"], "nats", "relay")
        assert up.run["stream"] == before["stream"]
        assert (await sold(up, "SECOND"))["data"]["version"] > message["data"]["version"]


@pytest.mark.parametrize(
    ("kind", "settings", "told"),
    [
        ("redis", {}, "--stream redis is none of kafka, nats, rabbitmq: choose one"),
        (NATS, {"STOCKWIRE_RELAY_TO": "kafka://broker"}, "STOCKWIRE_RELAY_TO must begin with nats:// or tls://"),
    ],
)
def test_a_kind_that_there_is_not_or_that_the_address_is_not_of_is_refused(
    tmp_path: Path, kind: str, settings: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        UpSettings.read(data=tmp_path, reset=False, port=0, replay=0, hubs=1, stream=kind, variables=settings)


def test_several_hosts_of_one_broker_may_be_named(tmp_path: Path) -> None:
    to = "kafkas://a:9092,b:9092"
    variables = {"STOCKWIRE_RELAY_TO": to}
    asked = UpSettings.read(data=tmp_path, reset=False, port=0, replay=0, hubs=1, stream=KAFKA, variables=variables)
    assert asked.relay_to == to


def test_how_to_get_a_broker_is_said_before_anything_is_started(tmp_path: Path) -> None:
    command = [str(PROGRAM), "up", "--data", str(tmp_path / "data"), "--port", "0", "--stream", RABBITMQ]
    own = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    environment = {**own, "PATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == EXIT_CONFIG, done.stderr
    told = "no rabbitmq is installed here: get one (Debian: apt-get install rabbitmq-server), or name yours with "
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_client_that_is_not_installed_is_missed_before_anything_is_started(tmp_path: Path) -> None:
    """By the relay, which is started last: minutes later."""
    hiding = "import sys; sys.modules['nats'] = None; from stockwire_command import main; sys.exit(main())"
    options = ["up", "--data", str(tmp_path / "data"), "--port", "0", "--stream", NATS]
    own = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    done = subprocess.run(
        [sys.executable, "-c", hiding, *options],
        env=own,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == EXIT_CONFIG, done.stderr
    assert f"pip --python {sys.executable} install --require-hashes -r requirements-streams.txt" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "data").glob("*.log")), "something was started"
