"""One push: an outcome for every target, also where the channel refuses a batch whole."""

from collections.abc import Sequence

from followers.marketplaces.adapter import Adapter, Outcome, Refused, RemoteAway, Target, Unknown


async def send(adapter: Adapter, targets: Sequence[Target]) -> list[Outcome]:
    """In their order. A batch that is refused as a whole is halved until what is wrong with it is alone, so that one
    poisoned listing stops no other. Raises RemoteAway: then nothing is known of any of them.
    """
    outcomes = list(await adapter.push(targets))
    if len(outcomes) != len(targets):
        raise RemoteAway(f"has {len(outcomes)} outcomes for {len(targets)} targets: the adapter is wrong")
    if len(targets) == 1 or not all(isinstance(one, Refused) for one in outcomes):
        return outcomes
    middle = len(targets) // 2
    first = await send(adapter, targets[:middle])
    try:
        return first + await send(adapter, targets[middle:])
    except RemoteAway as error:
        return [*first, *(Unknown(str(error)) for _ in targets[middle:])]
