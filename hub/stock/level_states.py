"""The state of a level: before its first event, and after one. Pure."""

from wire.messages import Event, LevelState


def absent(location: str, sku: str, shard: int) -> LevelState:
    """A level without any event yet."""
    return LevelState(sku, location, 0, 0, 0, 0, None, None, shard, 0)


def state_after(event: Event) -> LevelState:
    return LevelState(
        event.sku,
        event.location,
        event.version,
        event.on_hand,
        event.reserved,
        event.available,
        event.kind,
        event.committed_at,
        event.shard,
        event.seq,
    )
