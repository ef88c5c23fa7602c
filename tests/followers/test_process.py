"""`stockwire channels` as a whole: a sale becomes a signed message."""

import base64
import hashlib
import hmac
import shlex
import subprocess
import sys
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from followers.database.database import Database
from followers.sealing import Seal
from followers.webhooks.secrets import open_ring
from followers.webhooks.signature import SymmetricKey
from server.settings.environment import EXIT_CONFIG
from tests.followers.receivers import Receivers
from tests.followers.running import SEALING_KEY, Shop, channels_of
from tests.harness.moved_clock import moved_clock
from tests.harness.processes import channels_process
from tests.harness.system import ProcessSystem, ResidentSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api, sale

AHEAD_S_MIN = 3_000
"""Of an hour, whatever has passed since it was asked."""


def limited(soft: int, hard: int, program: str) -> str:
    """A program of a shell, where so many files may be open."""
    return f"ulimit -Sn {soft} && ulimit -Hn {hard} && exec {shlex.quote(sys.executable)} {program}"


@pytest.mark.usefixtures("processes")
async def test_where_too_few_files_may_be_open_it_does_not_start_and_says_the_fix(tmp_path: Path) -> None:
    settings = {
        "STOCKWIRE_URL": "http://127.0.0.1:1",
        "STOCKWIRE_CHANNELS_KEY": "sw_none",
        "STOCKWIRE_DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "STOCKWIRE_WEBHOOKS_SEALING_KEYS": SEALING_KEY,
    }
    process = channels_process("channels", tmp_path, settings)
    process.program, process.arguments = "/bin/sh", ["-c", limited(1_024, 4_096, "-m followers")]
    process.launch()
    assert await process.wait() == EXIT_CONFIG
    assert "4096 files may be open, and 4608 are needed" in process.stderr()


@pytest.mark.usefixtures("processes")
def test_what_processes_begin_with_is_raised() -> None:
    raised = (
        "-c 'import resource; from followers.open_files import open_enough_files; open_enough_files();"
        " print(resource.getrlimit(resource.RLIMIT_NOFILE))'"
    )
    ended = subprocess.run(["/bin/sh", "-c", limited(256, 10_000, raised)], capture_output=True, text=True, check=True)
    assert ended.stdout == "(10000, 10000)\n"


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
        await wait_until(lambda: all_told(receivers, [1, 2]))
        key = open_ring(Seal([SEALING_KEY]), (await shop.endpoints.sealed(made.id)) or b"").newest
        assert isinstance(key, SymmetricKey)
        for one in receivers.received["shop"]:
            signed = f"{one.id}.{one.timestamp}.".encode() + one.body
            digest = base64.b64encode(hmac.digest(key.secret, signed, hashlib.sha256)).decode()
            assert one.signature == f"v1,{digest}"
            assert "." not in one.id


@pytest.mark.usefixtures("processes")
async def test_with_a_clock_an_hour_ahead_it_signs_nothing_into_the_future(
    system: ResidentSystem, database: Database
) -> None:
    """Receivers refuse what is more than five minutes off."""
    await system.start_ledger()
    shop = Shop(system, database)
    async with (
        Receivers() as receivers,
        Api(system.ledger_url, await system.admin_key()) as api,
        channels_of(system, **moved_clock("+1h")) as channels,
    ):
        made = await shop.endpoint(f"{receivers.url}/shop")
        await channels.start()
        await api.stock("berlin", "A", 10)
        await wait_until(lambda: all_told(receivers, [1]))
        async with database.transaction() as connection:
            now_s = await connection.fetchval("select extract(epoch from clock_timestamp())::float8")
        async with httpx.AsyncClient() as http:
            said = (await http.get(f"{channels.admin}/metrics")).headers["date"]
        assert parsedate_to_datetime(said).timestamp() > now_s + AHEAD_S_MIN, "its clock was not moved"
        reader = Webhook(open_ring(Seal([SEALING_KEY]), (await shop.endpoints.sealed(made.id)) or b"").newest.text)
        for one in receivers.received["shop"]:
            assert one.timestamp <= now_s
            headers = {
                "webhook-id": one.id,
                "webhook-timestamp": str(one.timestamp),
                "webhook-signature": one.signature,
            }
            reader.verify(one.body, headers)


async def all_told(receivers: Receivers, versions: list[int]) -> bool:
    return receivers.versions("shop")["A"] == versions
