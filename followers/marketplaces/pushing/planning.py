"""What goes first: zeros, then decreases, then raises, and nothing waits for ever. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["rest", "due", "accepted", "unknown", "dead"]
STARVED_ROUNDS = 10
"""A raise that others went before so often goes before decreases."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A listing that may have to be sent. ``target``: what it shall offer; ``sent``: what stands there as far as we
    know; ``wanted``: of a push whose outcome is not known yet.

    ``polled``: the channel's orders are known from after the last change of what is available, and from after the last
    order that was told of it; ``settled``: and from after the moment at which something stood there that we did not
    expect. ``moved``: orders there were told since ``sent`` was known, so more or less may stand there.
    """

    remote: str
    target: int
    state: State
    sent: int | None
    wanted: int | None
    polled: bool
    settled: bool
    moved: bool

    @property
    def is_raise(self) -> bool:
        """Also where what stands there may be less than what was sent."""
        if self.target == 0:
            return False
        return self.sent is None or self.target > self.sent or (self.moved and self.target == self.sent)


@dataclass(frozen=True, slots=True)
class Plan:
    """``send``: in this order. ``rest``: these offer what they shall. ``wait``: for a poll of the channel's orders."""

    send: Sequence[Candidate]
    rest: Sequence[Candidate]
    wait: Sequence[Candidate]


def plan(candidates: Sequence[Candidate], *, compares: bool, passed_over: Mapping[str, int]) -> Plan:
    """``passed_over``: rounds in which a listing could have gone and others went.

    While the outcome of a push is not known nothing is sent of its listing but a smaller number: whatever becomes of
    that push, no more than is there shall be offered, and less is no greater risk than that push was. A raise could put
    back what was sold there a moment ago: unless the channel compares, it waits until the orders from after the change
    are known. Where something stood that we did not expect, all but a zero waits for that. What was sold there may have
    come here meanwhile: then what was sent is the target again, less stands there, and it is sent as a raise is.
    """
    send, rest, wait = [], [], []
    for one in candidates:
        if one.state in ("accepted", "unknown"):
            last = one.sent if one.wanted is None else one.wanted
            if one.target < (1 if last is None else last):
                send.append(one)
        elif one.target == one.sent and not one.moved:
            rest.append(one)
        elif one.target > 0 and (not one.settled or (one.is_raise and not compares and not one.polled)):
            wait.append(one)
        else:
            send.append(one)
    return Plan(sorted(send, key=lambda one: _rank(one, passed_over.get(one.remote, 0))), rest, wait)


def parted(
    send: Sequence[Candidate], many_from: int | None, many: int
) -> tuple[Sequence[Candidate], Sequence[Candidate]]:
    """Those that go by themselves, in their order, and the raises that go together, ``many`` at most: where a channel
    has a way for ``many_from`` of them or more. None: it has none."""
    raises = [one for one in send if one.is_raise]
    if many_from is None or len(raises) < many_from:
        return send, ()
    return [one for one in send if not one.is_raise], raises[:many]


def _rank(one: Candidate, passed_over: int) -> tuple[int, int]:
    if one.target == 0:
        return 0, 0
    if not one.is_raise:
        return 2, 0
    return (1 if passed_over >= STARVED_ROUNDS else 3), -passed_over
