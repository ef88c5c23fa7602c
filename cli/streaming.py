"""The relay of `stockwire up --stream` and the broker that it writes to."""

from importlib.util import find_spec

from cli import launches
from cli.access import PreparedAccess
from cli.data_folder import DataFolder
from cli.launch import Watchdog
from cli.ports import HOST, Ports
from cli.settings import UpSettings
from cli.stream_brokers import KAFKA, NATS, RABBITMQ, stream_broker
from cli.supervisor import EmbeddedPart, ServicePart, Supervisor
from server.settings.extras import BROKERS, not_installed

CLIENTS = {KAFKA: ("confluent_kafka",), NATS: ("nats",), RABBITMQ: ("rstream", "aio_pika")}
"""What a relay imports for each. It would say so itself, but it is the last that is started."""


class Streaming:
    """``url``: of the broker, ours or the one that is named."""

    def __init__(self, settings: UpSettings, ports: Ports, folder: DataFolder, watchdog: Watchdog) -> None:
        """Raises SettingsError if a broker is to be started and none is installed, or its client is not."""
        for client in CLIENTS[settings.stream]:
            if find_spec(client) is None:
                raise not_installed(*BROKERS, f"no module named {client}")
        self._ports = ports
        self._folder = folder
        self._broker = (
            None if settings.relay_to else stream_broker(settings.stream, folder.path, watchdog, HOST, ports.stream)
        )
        self.url = self._broker.url if self._broker else settings.relay_to

    async def start(self, supervisor: Supervisor, access: PreparedAccess) -> None:
        """Ends when both answer. Two waves: the relay is stopped before its broker. Raises SupervisorFailed;
        SettingsError in the relay's words."""
        if self._broker:
            await supervisor.start(EmbeddedPart(self._broker))
        relay = launches.relay_launch(self._folder, access.relay_key, self.url, self._ports)
        await supervisor.start(ServicePart(relay))
