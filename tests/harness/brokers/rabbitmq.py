"""RabbitMQ with its stream plugin, from Debian's package, with everything of its own: data, ports, and its epmd.

Debian's script runs it as the user ``rabbitmq`` over /var/lib/rabbitmq, and leaves an epmd behind. This calls Erlang
itself, as that script does in the end: any user can, and what it starts ends with it.
"""

import socket
import subprocess
from pathlib import Path

import pytest

from tests.harness.brokers.broker import HOST, PROBE_S, Broker, first_bytes
from tests.harness.processes import clean_environment
from tests.harness.programs import need_program
from tests.harness.servers import free_port
from tests.harness.waiting import wait_until

INSTALLED = Path("/usr/lib/rabbitmq/lib")
PLUGINS = "[rabbitmq_stream]."
CONFIGURATION = """
listeners.tcp.1 = {host}:{port}
stream.listeners.tcp.1 = {host}:{stream_port}
stream.advertised_host = {host}
stream.advertised_port = {stream_port}
log.console = true
log.console.level = warning
log.file = false
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 512MB
{more}
"""
ERLANG = (
    *("-noinput", "-s", "rabbit", "boot", "-boot", "start_sasl", "+W", "w"),
    *("-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
    *("-kernel", "prevent_overlapping_partitions", "false"),
    *("-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false"),
    *("+S", "2:2", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"),  # two processors, and no spinning on them
)
GREETING = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01"
USER = PASSWORD = "guest"
STREAMS = "rabbit_stream_coordinator"


class RabbitMQ(Broker):
    """``port`` is AMQP's, ``stream_port`` that of streams; user and password ``guest``. ``more``: lines for its
    configuration file."""

    name = "rabbitmq"

    def __init__(self, folder: Path, more: str = "") -> None:
        super().__init__(folder)
        self.stream_port, self._distribution_port, self._epmd_port = free_port(), free_port(), free_port()
        self._more = more
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{PASSWORD}@{self.address}/"

    def prepare(self) -> None:
        (self.folder / "enabled_plugins").write_text(PLUGINS)
        (self.folder / "rabbitmq.conf").write_text(
            CONFIGURATION.format(host=HOST, port=self.port, stream_port=self.stream_port, more=self._more)
        )
        if self._epmd is None or self._epmd.poll() is not None:
            self._epmd = self._spawn([need_program("epmd"), "-port", str(self._epmd_port), "-address", HOST])

    def command(self) -> list[str]:
        return [need_program("erl"), *ERLANG]

    def environment(self) -> dict[str, str]:
        (server,) = INSTALLED.glob("rabbitmq_server-*")
        own = {
            "NODENAME": f"stock{self.port}@localhost",
            "DIST_PORT": str(self._distribution_port),
            "HOME": str(server),
            "PLUGINS_DIR": str(server / "plugins"),
            "BASE": str(self.folder),
            "MNESIA_BASE": str(self.folder / "mnesia"),
            "LOG_BASE": str(self.folder / "log"),
            "LOGS": "-",
            "ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "CONF_ENV_FILE": "/dev/null",
            "FEATURE_FLAGS_FILE": str(self.folder / "feature_flags"),
            "GENERATED_CONFIG_DIR": str(self.folder / "config"),
        }
        return {
            **clean_environment({}),
            "HOME": str(self.folder),  # of the cookie
            "ERL_LIBS": str(server / "plugins"),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            **{f"RABBITMQ_{name}": value for name, value in own.items()},
        }

    def answers(self) -> bool:
        socket.create_connection((HOST, self.stream_port), PROBE_S).close()
        return first_bytes(self.port, GREETING).startswith(METHOD_FRAME)

    async def await_kept(self, queue: str) -> None:
        """Until a new quorum queue, or with ``STREAMS`` the first stream, would outlive a ``kill``: that it exists is
        put into a file half a second after the client was told, and without it all that it holds is lost."""

        async def is_kept() -> bool:
            files = (self.folder / "mnesia").glob("**/names.dets")
            return any(queue.encode() in file.read_bytes() for file in files)

        await wait_until(is_kept, what=f"{queue} is on disk")

    def close(self) -> None:
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        super().close()


def need_rabbitmq() -> None:
    """Skips the test where it is not installed, or fails it where STOCKWIRE_REQUIRE_PROGRAMS says so."""
    for program in ("rabbitmq-server", "erl", "epmd"):
        need_program(program)
    if not any(INSTALLED.glob("rabbitmq_server-*")):
        pytest.skip(f"RabbitMQ is not below {INSTALLED}, where Debian's package has it")
