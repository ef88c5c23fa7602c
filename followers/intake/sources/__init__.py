"""Where commands come from, by the kind of broker. A broker's client is imported when one is asked for."""

from followers.brokers.address import KAFKA, RABBITMQ
from followers.brokers.libraries import libraries
from followers.intake.settings import Settings
from followers.intake.source import Source


def source_of(settings: Settings) -> Source:
    """Raises SettingsError if the broker's client is not installed."""
    broker = settings.broker
    with libraries():
        if broker.address.kind == KAFKA:
            from followers.intake.sources.kafka import KafkaSource

            return KafkaSource(broker, settings.prefix, settings.window, settings.instance)
        if broker.address.kind == RABBITMQ:
            from followers.intake.sources.rabbitmq import RabbitMQSource

            return RabbitMQSource(broker, settings.prefix, settings.window)
        from followers.intake.sources.nats import NatsSource

        return NatsSource(broker, settings.prefix, settings.window)
