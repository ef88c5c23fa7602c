"""Names that mean something else in a path are names of levels here, and nothing else."""

from stockwire import AsyncClient
from tests.console.running import running_console
from tests.harness.system import System


async def test_a_level_of_two_dots_is_a_level_and_no_other_path(stockwire_system: System) -> None:
    async with AsyncClient(stockwire_system.ledger_url, await stockwire_system.admin_key()) as client:
        await client.locations.put("..", "Somewhere")
        await client.items.put("..", "Something")
        await client.stock.receive("..", "..", 7)
    async with (
        running_console(stockwire_system) as console,
        console.signed_in() as http,
        console.viewer(http) as viewer,
    ):
        data = (await viewer.show("level", sku="..", location=".."))["data"]
        assert data["level"]["on_hand"] == 7
        other = (await viewer.show("level", sku="shards", location=".."))["data"]
        assert (other["level"], other["events"]) == (None, [])
