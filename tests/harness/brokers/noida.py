"""A broker that speaks Kafka's protocol, out of a wheel: it starts in hundredths of a second and takes 10 MB.

Tried right: transactions, fencing, ``read_committed``. What it has not: compaction, more than one node, and
**durability**. It holds everything in memory and writes it out about once a second, and whole at a SIGTERM: a
``kill`` loses what it acknowledged last, and after any restart it has forgotten who was fenced. Faults of a broker are
struck on Apache Kafka.
"""

import importlib.util
import socket
from pathlib import Path

import pytest

from tests.harness.brokers.broker import HOST, PROBE_S, Broker


class Noida(Broker):
    """``address`` is what clients of Kafka call ``bootstrap.servers``."""

    name = "noida"

    def command(self) -> list[str]:
        options = ["--only", "kafka", "--kafka-port", str(self.port), "--host", HOST]
        return [str(_program()), "start", *options, "--data-dir", str(self.folder / "data")]

    def answers(self) -> bool:
        socket.create_connection((HOST, self.port), PROBE_S).close()
        return True


def need_noida() -> None:
    if importlib.util.find_spec("noida_db") is None:
        pytest.skip("noida-db has no wheel for this platform (requirements-test.in)")


def _program() -> Path:
    """Not by the wheel's own script: that stands between, and is killed in its place."""
    found = importlib.util.find_spec("noida_db")
    assert found is not None
    assert found.origin is not None
    program = Path(found.origin).with_name("noida-db")
    program.chmod(0o755)
    return program
