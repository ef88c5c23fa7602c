"""What the read port is built from."""

from dataclasses import dataclass

from hub.entry.door import Door
from hub.feed.feed import Feed
from hub.feed.ledger_client import LedgerClient
from hub.reads.event_stream import EventStreams
from hub.reads.readers import Readers
from hub.reads.reads import Reads
from server.http.problems import Problems
from server.http.request_times import RequestTimes


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
    request_times: RequestTimes
    origins: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    public_locations: tuple[str, ...]
