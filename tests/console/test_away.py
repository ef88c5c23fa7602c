"""What the console says while the ledger is away: no number of before as one of now."""

from tests.console.running import running_console
from tests.harness.system import System
from tests.hub.shop import Shop


async def test_while_the_log_is_not_followed_nothing_is_said_of_how_fast_it_sells(stockwire_system: System) -> None:
    shop = Shop(stockwire_system)
    await shop.open("berlin", "A", on_hand=100)
    async with (
        running_console(stockwire_system) as console,
        console.signed_in() as http,
        console.viewer(http) as viewer,
    ):
        await viewer.until("launch", lambda data: data["totals"]["oversold"] == 0)
        await shop.sell("berlin", "A")
        await viewer.until("launch", lambda data: data["skus"] and data["skus"][0]["minutes_left"] is not None)
        await stockwire_system.ledgers[0].stop()
        data = await viewer.until("launch", lambda data: data["totals"]["sold_per_s"] is None)
        (row,), totals = data["skus"], data["totals"]
        assert (totals["oversold"], row["sold_per_s"], row["minutes_left"]) == (None, None, None)
        reasons = {totals["unknown"]["oversold"], row["unknown"]["sold_per_s"], row["unknown"]["minutes_left"]}
        assert reasons == {totals["unknown"]["sold_per_s"]}
        assert row["available"] == 99, "that comes from the hub"
