"""`stockwire channels` as a whole: a sale becomes a signed message."""

import base64
import hashlib
import hmac

from followers.database.database import Database
from followers.sealing import Seal
from followers.webhooks.secrets import open_ring
from followers.webhooks.signature import SymmetricKey
from tests.followers.receivers import Receivers
from tests.followers.running import SEALING_KEY, Shop, channels_of
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale


async def test_a_sale_is_sent_signed_to_whoever_asked_for_it(process_system: ProcessSystem, database: Database) -> None:
    await process_system.start(hubs=0)
    shop = Shop(process_system, database)
    async with (
        Receivers() as receivers,
        Api(process_system.ledger_url, await process_system.admin_key()) as api,
        channels_of(process_system) as channels,
    ):
        made = await shop.endpoint(f"{receivers.url}/shop")
        await api.stock("berlin", "A", 10)
        await channels.start()
        await api.move(sale("berlin", "A"))

        async def all_there() -> bool:
            return receivers.versions("shop")["A"] == [1, 2]

        await wait_until(all_there)
        key = open_ring(Seal([SEALING_KEY]), (await shop.endpoints.sealed(made.id)) or b"").newest
        assert isinstance(key, SymmetricKey)
        for one in receivers.received["shop"]:
            signed = f"{one.id}.{one.timestamp}.".encode() + one.body
            digest = base64.b64encode(hmac.digest(key.secret, signed, hashlib.sha256)).decode()
            assert one.signature == f"v1,{digest}"
            assert "." not in one.id
