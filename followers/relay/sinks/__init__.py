"""The kinds of sinks, by the kind of broker that the relay's URL names."""

from followers.brokers import address
from followers.brokers.exchange import EXCHANGE
from followers.brokers.libraries import libraries
from followers.relay.settings import Settings
from followers.relay.sink import Sink

# Each import stands where it is needed: who asks for no Kafka has no client of it.


def sink_of(settings: Settings) -> Sink:
    """Raises SettingsError, also if the broker's client is not installed."""
    broker, prefix, structured = settings.broker, settings.prefix, settings.structured
    match broker.address.kind, broker.address.options.get(EXCHANGE):
        case address.NATS, _:
            with libraries():
                from followers.relay.sinks.nats import NatsSink
            return NatsSink(broker, prefix, structured=structured)
        case address.RABBITMQ, None:
            with libraries():
                from followers.relay.sinks.rabbitmq_stream import RabbitmqStreamSink
            return RabbitmqStreamSink(broker, prefix, structured=structured)
        case address.RABBITMQ, str(exchange):
            with libraries():
                from followers.relay.sinks.rabbitmq_exchange import RabbitmqExchangeSink
            return RabbitmqExchangeSink(
                broker, prefix, structured=structured, exchange=exchange, stream_port=settings.stream_port
            )
        case _:
            with libraries():
                from followers.relay.sinks.kafka import KafkaSink
            return KafkaSink(broker, prefix, structured=structured, transactions=not settings.at_least_once)
