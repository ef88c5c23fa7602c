"""The API of running channels: made there, sold at the ledger, received as any receiver of webhooks would read it."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
import standardwebhooks
import svix
from typer.testing import CliRunner

from cli.checks.channels import channels as doctors_look
from cli.findings import FindingState
from followers.database.database import Database
from server.version import VERSION
from stockwire.cli.program import program
from stockwire.settings import Settings
from tests.followers.receivers import Receivers
from tests.followers.running import channels_of
from tests.followers.webhooks.api.asking import CHANNELS
from tests.harness.metrics import await_metric, described_metrics, exported_metrics, metric_of
from tests.harness.processes import ServerProcess
from tests.harness.system import ProcessSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api, sale

BY_CHANNEL = "stockwire_channels_marketplace_"
"""Metrics of which there are none without a channel: tests/followers/marketplaces/test_operated.py."""


async def test_what_is_made_over_http_is_sent_and_other_peoples_libraries_verify_it(
    process_system: ProcessSystem, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await process_system.start(hubs=0)
    key = await process_system.key("shop", "stock:read:*")
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        Receivers() as receivers,
        Api(process_system.ledger_url, await process_system.admin_key()) as ledger,
        channels_of(process_system) as channels,
        httpx.AsyncClient(headers=headers, timeout=PATIENCE_S) as shop,
    ):
        await channels.start()
        shop.base_url = httpx.URL(channels.url)
        wish = {"url": f"{receivers.url}/shop", "types": ["stock.changed"], "locations": ["berlin"]}
        answer = await shop.post("/v1/webhooks", json=wish)
        CHANNELS.check_answer(answer)
        made = answer.json()
        await ledger.stock("berlin", "A", 10)
        await ledger.move(sale("berlin", "A"))

        async def both_there() -> bool:
            return receivers.versions("shop")["A"] == [1, 2]

        await wait_until(both_there)
        rotated = (await shop.post(f"/v1/webhooks/{made['id']}/rotate")).json()
        asked: list[str] = []

        async def signed_with_both() -> str | None:
            """A test message, or nothing yet: the process hears of a new secret within a second."""
            received = receivers.received["shop"]
            if set(asked) <= {one.id for one in received}:
                asked.append((await shop.post(f"/v1/webhooks/{made['id']}/test")).json()["message"])
            return next((one.id for one in received if " " in one.signature), None)

        sent = await wait_until(signed_with_both)
        assert sent in asked
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
            return sent in [one["message"] for one in answer.json()["attempts"]]

        await wait_until(recorded)
        await check_commands(monkeypatch, process_system, channels.url, key, f"{receivers.url}/shop")
        assert (await shop.get("/readyz")).status_code == 200
        await check_admin_port(channels)
        await check_doctor(channels, process_system.ledger_url, made["id"], database)


async def check_doctor(channels: ServerProcess, ledger_url: str, webhook: str, database: Database) -> None:
    variables = {"STOCKWIRE_ADMIN_URLS": channels.admin}
    nowhere = Path("nowhere")
    found = await doctors_look(nowhere, variables, Settings(ledger_url, None))
    assert [(one.check, one.state) for one in found] == [("webhooks and channels", FindingState.GOOD)]
    async with database.transaction() as connection:
        await connection.execute("update endpoint set state = 'disabled', reason = 'gone' where id = $1", webhook)
    (told,) = await doctors_look(nowhere, variables, None)
    assert (told.state, told.detail) == (FindingState.WARNING, f"1 webhook is disabled: {webhook} (127.0.0.1 gone)")
    assert "stockwire webhooks resume ID" in told.fix
    assert await doctors_look(nowhere, {"STOCKWIRE_ADMIN_URLS": ledger_url}, None) == [], "no channels, no word of them"


async def check_admin_port(channels: ServerProcess) -> None:
    """After some messages to one webhook, and refused requests to the API."""
    async with httpx.AsyncClient(base_url=channels.admin, timeout=PATIENCE_S) as admin:
        assert (await admin.get("/readyz")).json() == {"status": "ready", "version": VERSION}
        assert (await admin.get("/healthz")).json() == {"status": "ok"}
        assert (await admin.get("/troubles")).json() == {"check": "webhooks and channels", "troubles": []}
        page = (await admin.get("/metrics")).text
    described, exported = described_metrics("Channels"), exported_metrics(page)
    for one in [name for name in described if name.startswith(BY_CHANNEL)]:
        del described[one], exported[one]
    assert described == exported
    await await_metric(channels, 'stockwire_channels_endpoints{state="enabled"}', 2)
    await await_metric(channels, "stockwire_channels_endpoints_held", 2)
    await await_metric(channels, "stockwire_channels_behind", 0)
    await await_metric(channels, 'stockwire_channels_log_lag{shard="0"}', 0)
    await await_metric(channels, "stockwire_channels_attempts_in_flight", 0)
    for name in ("log_up", "database_up"):
        assert await metric_of(channels, f"stockwire_channels_{name}") == 1
    taken = await metric_of(channels, 'stockwire_channels_attempts_total{outcome="taken"}')
    assert taken == await metric_of(channels, "stockwire_channels_attempt_seconds_count") >= 3
    assert await metric_of(channels, 'stockwire_channels_answers_total{status="4xx"}') >= 1
    assert await metric_of(channels, 'stockwire_channels_problems_total{type="not-found"}') >= 1


async def check_commands(
    monkeypatch: pytest.MonkeyPatch, system: ProcessSystem, channels_url: str, key: str, url: str
) -> None:
    """`stockwire webhooks`, from the first command to the last."""
    monkeypatch.setenv("STOCKWIRE_CHANNELS_URL", channels_url)
    monkeypatch.setenv("STOCKWIRE_URL", system.ledger_url)
    monkeypatch.setenv("STOCKWIRE_API_KEY", key)
    app, runner = program(), CliRunner()

    async def said(*words: str, status: int = 0) -> str:
        result = await asyncio.to_thread(runner.invoke, app, ["webhooks", *words])
        assert result.exit_code == status, result.output
        return result.output

    made = json.loads(await said("add", url, "--type", "stock.*", "--location", "berlin", "--json"))
    one = made["id"]
    assert made["secret"].startswith("whsec_")
    assert (await said("add", url, "--signature", "v1a")).splitlines()[1].startswith("public key whpk_")
    assert "taken (204)" in await said("test", one)
    assert "webhook.test  taken (204)" in await said("log", one)
    assert "secret whsec_" in await said("rotate", one)
    assert await said("replay", one, "--since", "2026-01-01T00:00:00Z", "--dry-run") == (
        "3 messages would be sent again.\n"
    )
    assert await said("replay", one, "--failed") == "0 levels that failed are sent again.\n"
    assert await said("replay", one, status=1) == ("stockwire: message: one of this, since and failed is required\n")
    assert await said("pause", one) == f"{one} is paused.\n"
    assert f"{one}  paused    every  stock.changed stock.low stock.out stock.back  {url}\n" in await said("list")
    assert await said("resume", one) == f"{one} is enabled.\n"
    assert await said("remove", one) == f"{one} is removed.\n"
    assert await said("log", one, status=1) == f"stockwire: there is no webhook {one}\n"
    assert "must begin with https://" in await said("add", "ftp://shop.example/", status=1)
    monkeypatch.setenv("STOCKWIRE_CHANNELS_URL", "http://127.0.0.1:1")
    assert "run `stockwire channels`" in await said("list", status=1)
