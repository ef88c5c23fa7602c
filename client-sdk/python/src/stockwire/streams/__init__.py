"""Changes from a broker: what a relay or Debezium wrote there, read in order, once, none missing. See
docs/how-to/consume-changes.md.

Start with `Follower`, and `of_kafka`, `of_nats` or `of_amqp` for its messages. Pure: which library reads from the
broker is yours (``pip install 'stockwire[kafka]'``, ``[nats]``, ``[rabbitmq]`` bring one).
"""

from typing import TYPE_CHECKING

from stockwire.exports import exports

if TYPE_CHECKING:
    from stockwire.streams.cloud_event import CloudEvent
    from stockwire.streams.errors import Gap, StreamsError, Unreadable
    from stockwire.streams.follower import Follower, Step
    from stockwire.streams.levels import Levels
    from stockwire.streams.message import (
        Change,
        Complete,
        LevelTold,
        Message,
        Rewritten,
        message_of,
        of_amqp,
        of_kafka,
        of_nats,
    )

__all__ = [
    "Change",
    "CloudEvent",
    "Complete",
    "Follower",
    "Gap",
    "LevelTold",
    "Levels",
    "Message",
    "Rewritten",
    "Step",
    "StreamsError",
    "Unreadable",
    "message_of",
    "of_amqp",
    "of_kafka",
    "of_nats",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "cloud_event": "CloudEvent",
            "errors": "Gap StreamsError Unreadable",
            "follower": "Follower Step",
            "levels": "Levels",
            "message": "Change Complete LevelTold Message Rewritten message_of of_amqp of_kafka of_nats",
        },
    )
