"""One push: an outcome for every target, also where the channel refuses a batch whole."""

from collections.abc import Sequence

from followers.marketplaces.adapter import Adapter, Outcome, Refused, RemoteAway, Target, Unknown


async def send(adapter: Adapter, targets: Sequence[Target]) -> list[Outcome]:
    """In their order. A batch that is refused as a whole is halved until what is wrong with it is alone, so that one
    poisoned listing stops no other. Raises RemoteAway: then nothing is known of any of them.
    """
    outcomes = _one_each(await adapter.push(targets), targets)
    if len(targets) == 1 or not all(isinstance(one, Refused) for one in outcomes):
        return outcomes
    middle = len(targets) // 2
    first = await send(adapter, targets[:middle])
    try:
        return first + await send(adapter, targets[middle:])
    except RemoteAway as error:
        return [*first, *(Unknown(str(error)) for _ in targets[middle:])]


async def send_many(adapter: Adapter, targets: Sequence[Target]) -> list[Outcome]:
    """By the channel's way for many at once. Raises RemoteAway, as ``send``."""
    return _one_each(await adapter.push_many(targets), targets)


def _one_each(outcomes: Sequence[Outcome], targets: Sequence[Target]) -> list[Outcome]:
    if len(outcomes) != len(targets):
        raise RemoteAway(f"has {len(outcomes)} outcomes for {len(targets)} targets: the adapter is wrong")
    return list(outcomes)
