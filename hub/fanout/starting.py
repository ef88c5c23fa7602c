"""Subscriptions that cannot begin yet: what they need has to come from the ledger, and nobody waits for ever. Pure."""

from hub.fanout.subscription import Subscription

START_S = 5.0
"""How long nothing may come of what a subscription waits for. A location that is read page by page may take longer."""


class Starting:
    """Those of one history that have not begun: what each had got, and since when it has got no more."""

    def __init__(self) -> None:
        self._seen: dict[Subscription, tuple[int, float] | None] = {}

    def add(self, subscription: Subscription) -> None:
        """Its time runs from the next call of ``late``."""
        if not subscription.begun:
            self._seen[subscription] = None

    def late(self, now: float) -> list[Subscription]:
        """Those that got nothing for too long; they are forgotten here. ``now``: seconds of a monotonic clock."""
        late = []
        for subscription, seen in list(self._seen.items()):
            if subscription.begun or subscription.ended:
                del self._seen[subscription]
            elif seen is None or seen[0] != subscription.progress():
                self._seen[subscription] = (subscription.progress(), now)
            elif now - seen[1] >= START_S:
                del self._seen[subscription]
                late.append(subscription)
        return late
