"""What a hub holds, against who is there: nothing may be left of a client that has gone."""

from collections import Counter
from collections.abc import Collection

from hub.fanout.fanout import Fanout
from hub.fanout.subscription import AreaSubscription, LevelSubscription
from hub.stock.held import Held, Watched
from tests.simulation.history import History
from tests.simulation.node import Node
from tests.simulation.violation import Violation


def check_in_step(node: Node, history: History) -> None:
    """While everybody is up to date. Raises Violation."""
    fanout = node.feed.fanout
    if fanout is None:
        raise Violation("leak", f"{node.name} follows no history")
    _check_levels(node, fanout, history)
    _check_sessions(node, fanout)
    _check_watchers(node, fanout)


def check_left(node: Node) -> None:
    """After everybody has left. Raises Violation."""
    fanout = node.feed.fanout
    if fanout is None:
        raise Violation("leak", f"{node.name} follows no history")
    levels = fanout.levels
    _same(node, "sessions", len(fanout.sessions), 0)
    _same(node, "connections", len(node.links), 0)
    _same(node, "watched levels", sum(bool(held.watchers) for held in _all(fanout)), 0)
    _same(node, "watched areas", sum(found.watchers + len(found.live) for found in levels.areas.values()), 0)
    if levels.idle() > levels.idle_max:
        raise Violation("leak", f"{node.name} keeps {levels.idle()} idle levels, {levels.idle_max} are allowed")


def _check_levels(node: Node, fanout: Fanout, history: History) -> None:
    levels = fanout.levels
    held = _all(fanout)
    _same(node, "levels counted", levels.count, len(held))
    for one in held:
        if one.state != history.state(one.location, one.sku):
            raise Violation("hub-differs", f"{node.name} holds {one.state}, not {history.state(one.location, one.sku)}")
    for found in levels.areas.values():
        members = [one for one in levels.members(found) if one.seq]
        _same(node, f"levels in the order of {found.name}", len(found.order or ()), len(members))


def _check_sessions(node: Node, fanout: Fanout) -> None:
    _same(node, "sessions", set(fanout.sessions), {link.session for link in node.links})
    owed: dict[str, Collection[object]] = {
        "sessions to pump": fanout.delivery.pumping,
        "resumes to confirm": fanout.confirming,
        "levels wanted": fanout.levels.wanted,
        "areas wanted": fanout.levels.wanted_areas,
        "levels waited for": [held for held in _all(fanout) if held.waiters],
        "areas waited for": [found for found in fanout.levels.areas.values() if found.waiters],
    }
    for what, found in owed.items():
        _same(node, what, len(found), 0)


def _check_watchers(node: Node, fanout: Fanout) -> None:
    named: Counter[Watched] = Counter()
    cursors: Counter[int | str] = Counter()
    for session in fanout.sessions:
        for subscription in session.subscriptions.values():
            if isinstance(subscription, LevelSubscription):
                named.update(subscription.levels)
            elif isinstance(subscription, AreaSubscription):
                cursors.update(cursor.area.name for cursor in subscription.cursors)
    for held in _all(fanout):
        _same(node, f"subscriptions to {held.location}/{held.sku}", sum(held.watchers.values()), named[held])
    for found in fanout.levels.areas.values():
        _same(node, f"subscriptions to {found.name}", found.watchers, cursors[found.name])
        _same(node, f"live cursors of {found.name}", len(found.live), cursors[found.name])


def _all(fanout: Fanout) -> list[Held]:
    return [held for levels in fanout.levels.locations.values() for held in levels.values()]


def _same(node: Node, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Violation("leak", f"{node.name}, {what}: {found}, not {expected}")
