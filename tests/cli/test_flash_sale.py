"""A flash sale is red as soon as one unit too many is sold, and touches nothing that is not its own."""

import asyncio
import json
import subprocess
from pathlib import Path

import asyncpg
import pytest

from cli.data_folder import DataFolder
from cli.flash_sale import shoppers
from cli.flash_sale.fault import FaultKind, fault_in
from cli.flash_sale.naive_sale import sell_naively
from cli.flash_sale.sale import Asked, FlashSale
from cli.running_system import running_system
from server.settings.environment import SettingsError
from tests.cli.running import PROGRAM
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

FEW = ("--buyers", "60", "--units", "10", "--watchers", "6")

# One movement that nothing of ours has made: between the ledger's decision and the row, 25 units appear, and a version.
# The ledger notices the version, reads what is there and sells it: 25 more than there ever were.
PLANT = """
create function plant() returns trigger language plpgsql as $$
begin
  new.on_hand := new.on_hand + 25; new.version := new.version + 1; return new;
end $$;
create trigger plant before update on stock_level for each row
  when (old.version = 0 and new.location = 'flash-sale') execute function plant();
"""


SALES = "select count(*) from item where sku like 'FLASH-%'"


async def folder(data: Path, system: System, **pids: int) -> Path:
    """A data folder as a `stockwire up` of this system would keep it."""
    run = {"ledger": system.ledger_url, "hubs": system.stream_urls, "key": await system.admin_key(), "pids": pids}
    (data / "run.json").write_text(json.dumps(run))
    DataFolder(data).write_environment({"STOCKWIRE_DATABASE_URL": system.database_url})
    return data


def flash_sale(data: Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [PROGRAM, "demo", "flash-sale", "--data", data, *FEW, "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.usefixtures("processes")
async def test_a_planted_oversell_turns_the_verdict_red(tmp_path: Path, stockwire_system: System) -> None:
    data = await folder(tmp_path, stockwire_system)
    connection = await asyncpg.connect(stockwire_system.database_url)
    await connection.execute(PLANT)
    await connection.close()
    done = await asyncio.to_thread(flash_sale, data)
    assert done.returncode == 1, done.stdout + done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["sale"]["oversold"] == 25
    reasons = "\n".join(verdict["reasons"])
    assert "oversold: 35 sold of 10 units" in reasons
    assert "1 missing or doubled" in reasons
    assert "its events sum up to -25" in reasons


@pytest.mark.usefixtures("processes")
async def test_a_sale_that_is_told_to_stop_says_so_with_its_status(tmp_path: Path, shared_system: System) -> None:
    data = await folder(tmp_path, shared_system)
    connection = await asyncpg.connect(shared_system.database_url)
    before = await connection.fetchval(SALES)
    process = await asyncio.create_subprocess_exec(PROGRAM, "demo", "flash-sale", "--data", data, "--buyers", "20000")
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await connection.fetchval(SALES) == before:  # noqa: ASYNC110 - bounded; a row tells nobody
                await asyncio.sleep(0.05)
            process.terminate()
            assert await process.wait() == 143
    finally:
        await connection.close()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_what_a_third_never_pays_for_is_sold_to_others_and_nothing_twice(
    tmp_path: Path, shared_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that is slow a hold may be over before it is paid for: that shopper asks again."""
    monkeypatch.setattr(shoppers, "TTL_S", 1)
    system = running_system(await folder(tmp_path, shared_system))
    verdict = await FlashSale(system, Asked(buyers=40, units=12, watchers=2, hold=True), None, lambda _: None).run()
    assert verdict.reasons() == []
    assert verdict.holds is not None
    assert (verdict.sale.sold, verdict.holds.paid, verdict.audit.on_hand, verdict.audit.reserved) == (12, 12, 0, 0)
    assert verdict.sale.never_paid <= verdict.holds.expired
    assert verdict.naive.sale.never_paid == 0


@pytest.mark.usefixtures("processes")
async def test_nothing_is_broken_that_is_no_child_of_that_up(tmp_path: Path, shared_system: System) -> None:
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    data = await folder(tmp_path, shared_system, up=1, **{"hub-1": stranger.pid})
    for kind, said in ((FaultKind.HUB, "nothing was touched"), (FaultKind.BROKER, "cannot be cut from here")):
        with pytest.raises(SettingsError, match=said):
            fault_in(running_system(data), kind)
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()


def test_without_a_running_up_the_fix_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="make up"):
        running_system(tmp_path)


@pytest.mark.parametrize("asked", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1001)])
def test_a_sale_without_bounds_is_refused(asked: tuple[int, int, int]) -> None:
    with pytest.raises(SettingsError, match="out of range"):
        Asked(*asked)


async def test_a_scratch_table_goes_even_when_its_run_was_killed(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("create schema stockwire_naive_left; create table stockwire_naive_left.level (sku text)")
    await sell_naively(database_url, buyers=4, units=2)
    assert await connection.fetch("select from pg_namespace where nspname like 'stockwire%'") == []
    await connection.close()
