"""The kinds of sinks, by the kind of broker that the relay's URL names."""

from followers.relay.settings import TO, Settings
from followers.relay.sink import Sink
from server.settings.environment import SettingsError

# Each import stands where it is needed: who asks for no Kafka has no client of it.


def sink_of(settings: Settings) -> Sink:
    """Raises SettingsError, also if the broker's client is not installed."""
    raise SettingsError(f"{TO} names a {settings.broker.address.kind}, which no relay writes to: name a Kafka")
