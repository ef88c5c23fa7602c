"""What the read port is built from."""

from dataclasses import dataclass

from hub.entry.door import Door
from hub.feed.feed import Feed
from hub.feed.ledger_client import LedgerClient
from hub.reads.event_stream import EventStreams
from hub.reads.readers import Readers
from hub.reads.reads import Reads
from server.http.problems import Problems


@dataclass(frozen=True, slots=True)
class ReadParts:
    """``origins``, ``allowed_hosts`` and ``public_locations``: as in the settings."""

    reads: Reads
    streams: EventStreams
    feed: Feed
    ledger: LedgerClient
    readers: Readers
    door: Door
    problems: Problems
    origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    public_locations: tuple[str, ...]
