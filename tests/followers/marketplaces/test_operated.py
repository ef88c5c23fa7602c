"""What whoever operates the process is told of channels: which is stopped, why, and what to do."""

from followers.database.database import Database
from followers.marketplaces.channels import Channels, Wish, checked, stop
from followers.marketplaces.mapping.lines import Line
from followers.marketplaces.mapping.mappings import Mappings
from followers.marketplaces.operated import OperatedMarketplaces
from followers.sealing import Seal, new_sealing_key


async def test_stopped_channels_findings_and_dead_letters_are_told_with_their_fix(database: Database) -> None:
    channels = Channels(database, Seal([new_sealing_key()]))
    for name in ("amazon", "ebay", "web"):
        await channels.add(name, "shopify", "seller", Wish({}, ("berlin",)), {}, "e", {0: 0})
    await Mappings(database).put("web", [Line("1", "A"), Line("2", "B")], "seller")
    operated = OperatedMarketplaces(database, lambda: 1, lambda: None)
    assert await operated.troubles() == []
    async with database.transaction() as connection:
        await stop(connection, "amazon", "takes our token no more")
        await stop(connection, "amazon", "another reason")
        await checked(connection, "ebay", ["out-of-stock control is off: switch it on"])
        await connection.execute("update outgoing set state = 'dead'")
    assert [(one.detail, one.fix) for one in await operated.troubles()] == [
        (
            "channel amazon is stopped: takes our token no more",
            "mend it with `stockwire channel set amazon`: it goes on by itself",
        ),
        ("channel ebay: out-of-stock control is off: switch it on", "then `stockwire channel check ebay`"),
        (
            "2 listings are refused for good at web",
            "see `stockwire channel dead NAME`, mend the listings there, then `stockwire channel retry NAME`",
        ),
    ]
    await operated.refresh()
    counted = {
        (one.name, *sample.labels.values()): sample.value for one in operated.collect() for sample in one.samples
    }
    assert counted["stockwire_channels_marketplaces", "stopped"] == 1
    assert counted["stockwire_channels_marketplaces", "enabled"] == 2
    assert counted["stockwire_channels_marketplace_listings", "dead"] == 2
    assert counted["stockwire_channels_marketplaces_held",] == 1
