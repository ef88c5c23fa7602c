"""A hub's fan-out beside that of other programs, which check no access, keep no state and resume nothing."""

from tests.bench.deliveries import MESSAGE_BYTES, SUBSCRIBERS, hub_us, peer_us
from tests.bench.peer import PEERS, Peer
from tests.bench.ratio import Row
from tests.bench.shop import Shop

MESSAGES = 300


async def peers(shop: Shop, rounds: int) -> list[Row]:
    rows = [_row(peer) for peer in PEERS]
    for _ in range(rounds):
        hub = await hub_us(shop, 1, MESSAGES)
        for row, peer in zip(rows, PEERS, strict=True):
            if peer.installed:
                row.ours.append(hub)
                row.bare.append(await peer_us(peer, 1, MESSAGES))
                row.notes["version"] = peer.version()
    return rows


def _row(peer: Peer) -> Row:
    return Row(
        f"fan-out beside {peer.name}",
        "us",
        "lower",
        f"CPU of a hub for a delivery: {SUBSCRIBERS:,} subscribers of one sku, one change in flight",
        f"{peer.name}: one channel, messages of {MESSAGE_BYTES} bytes, one in flight",
        missing="" if peer.installed else peer.how,
    )
