"""What a client says on one connection, and what the hub answers. Pure.

``receive`` takes a message; who the client is has to be asked elsewhere, so it may return an ``Authenticate`` that the
shell answers with ``authenticated`` or ``unauthorized`` before it hands over the next message. ``wall``: Unix time in
seconds, since that is what tokens end by.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from hub.endings import Ending
from hub.entry.visitors import Visit, Visitors
from hub.errors import Ended, Full, Refused
from hub.fanout.fanout import Fanout
from hub.fanout.session import Session
from hub.limits import Limits
from hub.protocols.native.guest import Guest
from server.problems import Unauthorized
from wire.messages import (
    Connect,
    Connected,
    Error,
    Refresh,
    Refreshed,
    Subscribe,
    Unsubscribe,
    Unsubscribed,
    When,
    decode_client_message,
)
from wire.names import NAME_PATTERN
from wire.scopes import PUBLIC, READ, allows
from wire.tokens import Principal

TYPES = ("connect", "subscribe", "unsubscribe", "refresh")
ID_MAX = 2**53 - 1
_name = re.compile(NAME_PATTERN)
_loose_decoder = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find out who is behind this request's token; None: whether it may go on as a visitor."""

    request: Connect | Refresh = field(repr=False)
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What ``connected`` tells about this hub."""

    node: str
    heartbeat_s: float


class Conversation:
    """One connection's. If the upgrade was authorized, ``session.principal`` is set before the first message."""

    __slots__ = ("_connected", "_fanout", "_greeting", "_guest", "_limits", "_session")

    def __init__(self, fanout: Fanout, session: Session, limits: Limits, greeting: Greeting) -> None:
        self._fanout = fanout
        self._session = session
        self._limits = limits
        self._greeting = greeting
        self._connected = False
        self._guest: Guest | None = None

    @property
    def limits(self) -> Limits:
        return self._limits if self._guest is None else self._guest.limits

    def receive(self, data: str | bytes, wall: float) -> Authenticate | None:
        """Raises Ended when the connection must end; everything else that is wrong is answered with ``error``."""
        if isinstance(data, bytes):
            raise Ended(Ending.BINARY)
        try:
            request = decode_client_message(data)
        except (msgspec.ValidationError, RecursionError, msgspec.DecodeError) as error:
            self._unreadable(data, error)
            return None
        try:
            return self._take(request, wall)
        except Refused as refused:
            self._session.send(Error(request.id, refused.code, refused.message))
            return None

    def welcome(self, visitors: Visitors, visit: Visit) -> None:
        """A visitor's limits hold from now on, until it shows a token."""
        self._guest = Guest(visitors, visit, self._fanout, self._session)

    def authenticated(self, asked: Authenticate, principal: Principal, wall: float) -> None:
        if isinstance(asked.request, Connect):
            self.greet(asked.request.id, principal, wall)
        elif (lost := self._lost_by(principal)) is not None:
            self._session.send(
                Error(asked.request.id, "forbidden", f"the new token does not cover subscription {lost}")
            )
        else:
            self._session.principal, self._guest = principal, None
            self._session.send(Refreshed(asked.request.id, *_expiry(principal, wall)))

    def unauthorized(self, asked: Authenticate, error: Unauthorized) -> None:
        """A bad token ends a connection that has no other; a bad refresh leaves it the one it has."""
        if isinstance(asked.request, Connect):
            raise Ended(Ending.TOKEN_EXPIRED_BEFORE if error.expired else Ending.TOKEN_REFUSED, error=error)
        self._session.send(Error(asked.request.id, "unauthorized", str(error)))

    def _take(self, request: Connect | Subscribe | Unsubscribe | Refresh, wall: float) -> Authenticate | None:
        if isinstance(request, Connect):
            return self._connect(request, wall)
        if self._session.principal is None:
            raise Ended(Ending.CONNECT_MISSING)
        if isinstance(request, Refresh):
            return Authenticate(request, request.token)
        if isinstance(request, Subscribe):
            self.subscribe(request, self._session.principal)
        else:
            self._fanout.unsubscribe(self._session, request.sub)
            if self._guest is not None:
                self._guest.settle()
            self._session.send(Unsubscribed(request.id, request.sub))
        return None

    def _connect(self, request: Connect, wall: float) -> Authenticate | None:
        if self._connected:
            raise Ended(Ending.CONNECT_REPEATED)
        self._connected = True
        if request.token is not None:
            return Authenticate(request, request.token)
        if self._session.principal is None:
            return Authenticate(request, None)
        self.greet(request.id, self._session.principal, wall)
        return None

    def greet(self, id_: int, principal: Principal, wall: float) -> None:
        """From now on this principal is served. Raises Ended if there is nothing it may see."""
        if not any(scope.startswith((READ, PUBLIC)) for scope in principal.scopes):
            raise Ended(Ending.NO_SCOPE)
        self._session.principal = principal
        epoch = self._fanout.shards.epoch
        greeting = self._greeting
        self._session.send(Connected(id_, greeting.node, epoch, greeting.heartbeat_s, *_expiry(principal, wall)))

    def subscribe(self, request: Subscribe, principal: Principal) -> None:
        """Raises Refused."""
        self._check(request)
        scope = f"{PUBLIC if request.view else READ}{request.location}"
        if not allows(principal.scopes, scope):
            whose = ", which visitors have by STOCKWIRE_HUB_PUBLIC_LOCATIONS" if self._guest and request.view else ""
            raise Refused("forbidden", f"this needs the scope {scope}{whose}")
        if request.id in self._session.subscriptions:
            raise Refused("invalid", f"id: subscription {request.id} exists, use another id")
        if len(self._session.subscriptions) >= self.limits.subscriptions_max:
            raise Refused("limit", f"a connection may have {self.limits.subscriptions_max} subscriptions")
        self._check_levels(set(request.skus or ()))
        if self._guest is not None:
            self._guest.claim(request)
        try:
            self._fanout.subscribe(self._session, request)
        except Full as full:
            raise Refused("limit", str(full)) from None

    def _check(self, request: Subscribe) -> None:
        if request.location != "*" and not _name.match(request.location):
            raise Refused(
                "invalid", "location: 1 to 64 visible characters without / and *, or * for all", field="location"
            )
        if request.since is not None and (request.view or request.when):
            raise Refused("invalid", "since: only levels have positions, leave it out", field="since")
        if request.when is not None:
            _check_when(request.when)
        if request.skus is None:
            return
        if request.location == "*":
            raise Refused("invalid", "skus: named skus need one location", field="skus")
        if not request.skus:
            raise Refused("invalid", "skus: name at least one, or leave it out for the whole location", field="skus")
        if len(request.skus) > self.limits.skus_max:
            raise Refused(
                "limit", f"a subscription may name {self.limits.skus_max} skus, not {len(request.skus)}", field="skus"
            )

    def _check_levels(self, skus: set[str]) -> None:
        """A name costs the hub memory whether or not it exists; a whole location is shared by all who watch it."""
        most = self.limits.levels_per_connection_max
        named = sum(subscription.named() for subscription in self._session.subscriptions.values())
        if named + len(skus) > most:
            raise Refused(
                "limit", f"skus: a connection may name {most} of them, over all its subscriptions", field="skus"
            )

    def _lost_by(self, principal: Principal) -> int | None:
        """A subscription that the new token does not cover. Nobody keeps what they may no longer see."""
        for subscription in self._session.subscriptions.values():
            if not allows(principal.scopes, subscription.scope):
                return subscription.id
        return None

    def _unreadable(self, data: str, error: Exception) -> None:
        """Well-formed but wrong is answered; what is no JSON object, or comes before connect, ends the connection."""
        try:
            message = _loose_decoder.decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise Ended(Ending.UNREADABLE) from None
        if not isinstance(message, dict):
            raise Ended(Ending.NO_OBJECT)
        if self._session.principal is None:
            raise Ended(Ending.CONNECT_UNREADABLE, error=error)
        id_, type_ = message.get("id"), message.get("type")
        readable = id_ if type(id_) is int and 0 <= id_ <= ID_MAX else None
        if isinstance(type_, str) and type_ not in TYPES:
            self._session.send(Error(readable, "unknown-type", f"there is no request {type_[:40]!r}"))
        else:
            self._session.send(Error(readable, "invalid", str(error)))


def _check_when(when: When) -> None:
    if (when.at_most is None) == (when.at_least is None):
        raise Refused("invalid", "when: give either at_most or at_least", field="when")
    if when.at_least == 0:
        raise Refused("invalid", "when.at_least: must be 1 or more, there are always 0", field="when.at_least")
    if when.until is None:
        return
    if when.at_most is not None and when.until <= when.at_most:
        raise Refused("invalid", f"when.until: must be above at_most, {when.at_most}", field="when.until")
    if when.at_least is not None and when.until >= when.at_least:
        raise Refused("invalid", f"when.until: must be below at_least, {when.at_least}", field="when.until")


def _expiry(principal: Principal, wall: float) -> tuple[str | None, float | None]:
    """When, and in how many seconds: a client's own clock may be hours off."""
    if principal.expires_at is None:
        return None, None
    left_s = round(max(0.0, principal.expires_at - wall), 3)
    return _moment(principal.expires_at), left_s


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
