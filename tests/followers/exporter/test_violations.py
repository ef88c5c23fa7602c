"""What is broken into the database is named, each once, and nothing else."""

from collections.abc import Coroutine
from typing import Any

from followers.exporter import following
from ledger.feed.heads import HEARTBEAT_S
from ledger.migrations import SHARDS_DEFAULT
from tests.followers.exporter.breaking import New, breaking, write
from tests.followers.exporter.running import Running, running
from tests.harness.system import ResidentSystem
from tests.ledger.api import Api, sale

LOCATION, OTHER = "berlin", "hamburg"
TRANSIT = f"transit:{OTHER}"
SKUS = ("versions", "skipped", "twice", "balance", "negative", "oversold", "row", "told", "gone", "way")
ROW = "update stock_level set on_hand = on_hand + 7 where sku = 'row'"
TOLD = "update stock_event set on_hand_delta = -2 where sku = 'told' and version = 2"
GONE = "delete from stock_event where sku = 'gone' and version = 2"
NAMED_WITHIN_S = 5.0


def test_the_paces_name_what_is_broken_within_five_seconds() -> None:
    """An event that somebody else has written is seen at the ledger's next heartbeat; a row in a shop of one page; what
    was changed later in a shop of the usual number of shards."""
    assert HEARTBEAT_S[1] + following.BETWEEN_S < NAMED_WITHIN_S
    assert following.LEVELS_EVERY_S < NAMED_WITHIN_S
    assert following.REREAD_EVERY_S * SHARDS_DEFAULT < NAMED_WITHIN_S


async def test_each_violation_that_is_broken_into_the_database_is_named(system: ResidentSystem) -> None:
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for sku in SKUS:
            await api.stock(LOCATION, sku, 10)
        async with running(system) as exporter:
            await exporter.knows_all()
            events = await sell(api)
            await exporter.audited(events)
            await exporter.until()
            async with breaking(system.database_url) as database:
                named = Named(exporter)
                await named("versions", write(database, New(LOCATION, "versions", skipped=1)))
                await named("seqs", write(database, New(LOCATION, "skipped", ahead=2)))
                await named("seqs", write(database, New(LOCATION, "twice"), New(LOCATION, "skipped")))
                await named("balance", write(database, New(LOCATION, "balance", wrong={"on_hand": 3})))
                await named("negative", write(database, New(LOCATION, "negative", wrong={"on_hand_delta": -10})))
                await named("oversold", write(database, New(LOCATION, "oversold", wrong={"reserved_delta": 10})))
                await named("transit", write(database, New(TRANSIT, "way", wrong={"on_hand_delta": 1})))
                await named("levels", database.execute(ROW))
                await named("history", database.execute(TOLD))
                await named("history", database.execute(GONE))
            await check_what_is_said(exporter)


class Named:
    """Breaks something, and waits until it was found, once, and nothing else."""

    def __init__(self, exporter: Running) -> None:
        self._exporter = exporter
        self._found: dict[str, int] = {}

    async def __call__(self, invariant: str, breaks: Coroutine[Any, Any, object]) -> None:
        await breaks
        self._found[invariant] = self._found.get(invariant, 0) + 1
        await self._exporter.until(**self._found)


async def sell(api: Api) -> int:
    """All that a shop does; how many events."""
    for sku in SKUS:
        assert (await api.move(sale(LOCATION, sku))).is_success
    assert (await api.move(sale(LOCATION, "gone"))).is_success
    assert (await api.put(f"/v1/locations/{OTHER}", {"name": OTHER})).is_success
    held = {"lines": [{"sku": "way", "location": LOCATION, "quantity": 2}]}
    assert (await api.post("/v1/reservations", held, headers={"Idempotency-Key": "held"})).is_success
    sent = {"from": LOCATION, "to": OTHER, "lines": [{"sku": "way", "quantity": 3}]}
    assert (await api.post("/v1/transfers", sent, headers={"Idempotency-Key": "sent"})).is_success
    return len(SKUS) + 1 + 1 + 2


async def check_what_is_said(exporter: Running) -> None:
    metrics = await exporter.metrics()
    for invariant, count in exporter.violations.items():
        assert metrics[f'stockwire_audit_violations_total{{invariant="{invariant}"}}'] == count > 0
    troubles = await exporter.troubles()
    assert len(troubles) == len(exporter.violations)
    assert [one for one in troubles if "oversold at berlin: on_hand 9, reserved 10" in one]
