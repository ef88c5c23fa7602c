"""What an ordinary request asks for, if nothing about it has to be waited for or refused. Changes nothing."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from ledger.access.access import write_scope
from ledger.commit.operation import Operation
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.http import bodies, hold_bodies
from ledger.http.hold_operations import CHANGES, AskedChange, hold_id, reserving
from ledger.http.idempotency import operation_of
from ledger.http.routes.movements import line_of
from server.problems import Invalid
from wire.scopes import allows
from wire.tokens import Principal

MOVEMENTS = b"/v1/movements"
RESERVATIONS = b"/v1/reservations"
_OF_RESERVATIONS = RESERVATIONS + b"/"

MAY_WRITE_MAX = 4_096
"""Answers to whether somebody may write somewhere that are remembered: of some keys at all their locations."""

Asked = tuple[Operation, int]
"""And the status of the answer, once it is committed."""


def is_ordinary_path(path: bytes) -> bool:
    """Of a POST: what every other request is told by at once."""
    return path == MOVEMENTS or path.startswith(RESERVATIONS)


class OrdinaryOperations:
    def __init__(self, locations: Locations, writers: Writers, lines_max: int, ttl_s_max: int) -> None:
        self._locations = locations
        self._writers = writers
        self._lines_max = lines_max
        self._ttl_s_max = ttl_s_max

    def read(self, path: bytes, body: bytes, principal: Principal, key: str) -> Asked | None:
        """``path``: as it was sent. None if the app has to look at it: anything is unknown here, or wrong."""
        if path == MOVEMENTS:
            return self._movement(body, principal, key)
        try:
            if path == RESERVATIONS:
                return self._reservation(body, principal, key)
            return self._change(path, body, principal, key)
        except (Invalid, UnicodeDecodeError):
            return None

    def _movement(self, body: bytes, principal: Principal, key: str) -> Asked | None:
        movement = bodies.one_movement(body)
        if movement is None:
            return None
        shards = self._writable(principal, (movement.location,))
        if shards is None:
            return None
        return operation_of(principal.owner, key, "movements", (line_of(movement, shards),)), 201

    def _reservation(self, body: bytes, principal: Principal, key: str) -> Asked | None:
        asked = hold_bodies.reservation(body, self._lines_max, self._ttl_s_max)
        shards = self._writable(principal, asked.locations())
        return None if shards is None else (reserving(principal.owner, key, asked, shards, self._ttl_s_max), 201)

    def _change(self, path: bytes, body: bytes, principal: Principal, key: str) -> Asked | None:
        """Of a hold that this process remembers."""
        given, _, name = path.removeprefix(_OF_RESERVATIONS).decode("ascii").partition("/")
        known = hold_id(given)
        if known is None or name not in CHANGES:
            return None
        hold = self._writers.remembered_holds.of((known,)).get(known)
        if hold is None or hold.is_transfer:
            return None
        asked = AskedChange(name, body, self._lines_max, self._ttl_s_max)
        shards = self._writable(principal, asked.locations(hold))
        return None if shards is None else (asked.operation(principal.owner, key, hold, shards), 200)

    def _writable(self, principal: Principal, locations: Iterable[str]) -> Mapping[str, int] | None:
        """The shards of the locations; None if one is not known, or may not be written."""
        shards: dict[str, int] = {}
        for location in locations:
            shard = self._locations.known_shard_to_write(location)
            if shard is None or not _may_write(principal.scopes, location):
                return None
            shards[location] = shard
        return shards


@lru_cache(MAY_WRITE_MAX)
def _may_write(scopes: frozenset[str], location: str) -> bool:
    return allows(scopes, write_scope(location))
