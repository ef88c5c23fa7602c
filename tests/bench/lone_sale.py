"""What a sale costs the ledger when it comes alone, against one of many that share a batch. CPU of the process."""

import secrets

from tests.bench.callers import call
from tests.bench.hot_sku_http import SECONDS, sale_requests
from tests.bench.ratio import Row
from tests.bench.server import BareServer, cpu_s
from tests.bench.shop import Shop

CROWD = 64
ANSWER_BYTES = 630


async def lone_sale(shop: Shop, rounds: int) -> list[Row]:
    crowded = Row(
        "lone sale, ledger CPU",
        "us",
        "lower",
        "ledger process, POST /v1/movements, one connection, one sale in flight",
        f"the same with {CROWD} connections",
        target=4.0,
    )
    bare = Row(
        "lone sale, ledger CPU, against a bare route",
        "us",
        "lower",
        crowded.ours_is,
        "a bare Starlette route on uvicorn: JSON parsed, an answer of the same size; one connection",
        target=450 / 54,
    )
    for _ in range(rounds):
        sku = f"lone-{secrets.token_hex(4)}"
        await shop.stock_up(sku, 10**9)
        alone = await _cpu_us(shop.ledger_port, shop.ledger_pid, 1, shop.key, sku)
        crowded.ours.append(alone)
        crowded.bare.append(await _cpu_us(shop.ledger_port, shop.ledger_pid, CROWD, shop.key, sku))
        bare.ours.append(alone)
        with BareServer("tests.bench.no_op_app", ANSWER_BYTES) as server:
            bare.bare.append(await _cpu_us(server.port, server.pid, 1, shop.key, sku))
    return [crowded, bare]


async def _cpu_us(port: int, pid: int, callers: int, key: str, sku: str) -> float:
    before = cpu_s(pid)
    _, counts = await call(port, callers, SECONDS, sale_requests(key, sku))
    assert set(counts) == {201}, counts
    return (cpu_s(pid) - before) / counts[201] * 1e6
