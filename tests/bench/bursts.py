"""Deliveries for each second of CPU when several skus change at once and everybody watches all of them."""

from tests.bench.deliveries import MESSAGE_BYTES, SUBSCRIBERS, hub_us, peer_us
from tests.bench.peer import C_LOOP, NATS, Peer
from tests.bench.ratio import Row
from tests.bench.shop import Shop

WIDTH, BURSTS = 8, 150
AGAINST: tuple[tuple[Peer, float], ...] = ((C_LOOP, 5.0), (NATS, 3.0))
"""With the target of each."""


async def bursts(shop: Shop, rounds: int) -> list[Row]:
    rows = [_row(peer, target) for peer, target in AGAINST]
    for _ in range(rounds):
        hub = await hub_us(shop, WIDTH, BURSTS)
        for row, (peer, _) in zip(rows, AGAINST, strict=True):
            if peer.installed:
                row.ours.append(1e6 / hub)
                row.bare.append(1e6 / await peer_us(peer, WIDTH, BURSTS))
                row.notes["version"] = peer.version()
    return rows


def _row(peer: Peer, target: float) -> Row:
    return Row(
        f"bursts of {WIDTH}, against {peer.name}",
        "deliveries per CPU s",
        "higher",
        f"hub, {SUBSCRIBERS:,} subscribers of {WIDTH} skus that one operation changes, one burst in flight",
        f"{peer.name}: {WIDTH} messages of {MESSAGE_BYTES} bytes at once to all, one burst in flight",
        target=target,
        missing="" if peer.installed else peer.how,
    )
