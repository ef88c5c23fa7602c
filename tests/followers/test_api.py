"""The API of running channels: made there, sold at the ledger, received as any receiver of webhooks would read it."""

import httpx
import standardwebhooks
import svix

from tests.followers.receivers import Receivers
from tests.followers.running import channels_of
from tests.followers.webhooks.api.asking import CHANNELS
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, sale


async def test_what_is_made_over_http_is_sent_and_other_peoples_libraries_verify_it(
    process_system: ProcessSystem,
) -> None:
    await process_system.start(hubs=0)
    channels = await channels_of(process_system)
    await channels.start()
    key = await process_system.key("shop", "stock:read:*")
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        Receivers() as receivers,
        Api(process_system.ledger_url, await process_system.admin_key()) as ledger,
        httpx.AsyncClient(base_url=channels.url, headers=headers, timeout=PATIENCE_S) as shop,
    ):
        wish = {"url": f"{receivers.url}/shop", "types": ["stock.changed"], "locations": ["berlin"]}
        answer = await shop.post("/v1/webhooks", json=wish)
        CHANNELS.check_answer(answer)
        made = answer.json()
        await ledger.stock("berlin", "A", 10)
        await ledger.move(sale("berlin", "A"))

        async def both_there() -> bool:
            return receivers.versions("shop", "A") == [1, 2]

        await wait_until(both_there)
        rotated = (await shop.post(f"/v1/webhooks/{made['id']}/rotate")).json()
        sent = (await shop.post(f"/v1/webhooks/{made['id']}/test")).json()["message"]

        async def tested() -> bool:
            return any(one.id == sent for one in receivers.received["shop"])

        await wait_until(tested)
        for one in receivers.received["shop"]:
            signed = {
                "webhook-id": one.id,
                "webhook-timestamp": str(one.timestamp),
                "webhook-signature": one.signature,
            }
            standardwebhooks.Webhook(made["secret"]).verify(one.body, signed)
            svix.Webhook(made["secret"]).verify(one.body, signed)
            if one.id == sent:
                standardwebhooks.Webhook(rotated["secret"]).verify(one.body, signed)
                svix.Webhook(rotated["secret"]).verify(one.body, signed)

        async def recorded() -> bool:
            answer = await shop.get(f"/v1/webhooks/{made['id']}/attempts")
            CHANNELS.check_answer(answer)
            return [one["message"] for one in answer.json()["attempts"]][:1] == [sent]

        await wait_until(recorded)
        assert (await shop.get("/readyz")).status_code == 200
        await channels.stop()
        channels.check_log()
