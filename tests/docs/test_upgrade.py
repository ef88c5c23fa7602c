"""docs/how-to/upgrade.md, to the letter and from nothing: two releases side by side, forward, back, forward, contract.

The old release is the version before, out of the repository's history. The new one is this, with a migration more, so
that there is something to expand and to contract. Nothing is installed: `make` on the reader's path links to the code.
"""

import asyncio
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from ledger.migrations.revisions import newest
from server.version import VERSION
from stockwire import AsyncClient
from tests.docs.following import Follower
from tests.docs.pages import HOW_TOS, blocks, text_of
from tests.docs.running import PROGRAMS, Reader
from tests.faults.watcher import Watcher, await_agreement, watching_hub
from tests.harness.postgres import PostgresServer
from tests.harness.release_tree import require_history
from tests.harness.releases import version_before
from tests.harness.servers import free_port
from tests.harness.source import PACKAGES, ROOT
from tests.harness.waiting import PATIENCE_S, wait_until

PAGE = next(page for page in HOW_TOS if page.name == "upgrade.md")
DATABASE, BROKER = "postgresql://stockwire:secret@db.internal/stockwire", "redis://broker.internal:6379/0"
PORTS = re.compile(r"\b8[01][89][0-9]\b")
FORWARD, BACK, AGAIN, CONTRACT = ("## 4.", "## 5."), "## 6.", ("## 4.", "## 5."), "## 7."
DRAIN_S = 1
"""A hub's clients come back within so long, instead of 10 s: it is stopped eight times here."""

LOST = "Older ledgers would write the wrong lot."
MIGRATION = '''"""The lot of an event."""

from ledger.migrations.migrator import expand
from ledger.migrations.steps import Backfill, Change, Lock, Step, has_column

revision = "{number}"
down_revision = "{before}"
SINCE = "{version}"


def steps(_shards: int) -> tuple[Step, ...]:
    return (
        Change(
            "the lot of an event",
            (
                "alter table stock_event add column lot text",
                "alter table stock_event alter column lot set default 'of both'",
            ),
            {{"stock_event": Lock.ACCESS_EXCLUSIVE}},
            unless=has_column("stock_event", "lot"),
        ),
        Backfill("events until now have none", "stock_event", "lot = ''", "lot is null"),
    )


CONTRACT: tuple[Step, ...] = (
    Change(
        "every event has a lot",
        ("alter table stock_event alter column lot set default 'new'",),
        {{"stock_event": Lock.ACCESS_EXCLUSIVE}},
    ),
)
LOST = "{lost}"


def upgrade() -> None:
    expand(revision, steps)
'''

MAKE = """#!/bin/sh
# Instead of an installation: the programs of the tests, on the code of the folder, or of {new} for the clone.
[ "$1" = -C ] && code=$(cd "$2" && pwd) && folder=$code || {{ code={new} folder=$PWD; }}
mkdir -p "$folder/.venv/bin"
cat > "$folder/.venv/bin/stockwire" <<END
#!/bin/sh
export PYTHONPATH=$code:$code/client-sdk/python/src
exec {python} -P -c 'import stockwire_command; stockwire_command.main()' "\\$@"
END
chmod +x "$folder/.venv/bin/stockwire"
cd "$code" && exec {python} -m compileall -qq wire server ledger hub cli client-sdk/python/src
"""


class Operator(Reader):
    """In a clone of this repository, with both releases' programs made by the page's own `make`."""

    ends_with = (signal.SIGINT, signal.SIGKILL)

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder = folder / "clone"
        self._addresses = {DATABASE: database_url, BROKER: f"{redis_url}\nexport STOCKWIRE_HUB_DRAIN_S={DRAIN_S}"}
        self.meant = {}
        self._ports: dict[str, str] = {}
        clone = ["git", "-c", f"safe.directory={ROOT}", "clone", "--quiet", "--shared", "--no-checkout"]
        subprocess.run([*clone, ROOT, self.folder], timeout=PATIENCE_S, check=True)
        new, programs = folder / "new", folder / "programs"
        new_release(new)
        programs.mkdir()
        (programs / "make").write_text(MAKE.format(new=new, python=PROGRAMS / "python"))
        (programs / "make").chmod(0o755)
        self.variables = {"PATH": f"{programs}:{path_of(self)}"}

    def here(self, text: str) -> str:
        return PORTS.sub(lambda found: self.port(found[0]), super().here(text))

    def port(self, printed: str) -> str:
        return self._ports.setdefault(printed, str(free_port()))


def path_of(reader: Reader) -> str:
    return reader.another_terminal().variables["PATH"]


def new_release(folder: Path) -> None:
    """This one's code, with a migration more."""
    for name in ("wire", "server", "ledger", "hub", "console", "cli"):
        shutil.copytree(PACKAGES[name], folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PACKAGES["stockwire"].parent, folder / "client-sdk" / "python" / "src")
    before = newest()
    number, version = f"{int(before) + 1:04}", VERSION.partition(".dev")[0]
    text = MIGRATION.format(number=number, before=before, version=version, lost=LOST)
    (folder / "ledger" / "migrations" / "versions" / f"{number}_lot.py").write_text(text)


class Till:
    """Sells one unit after the other at rome, by whichever ledger answers, and counts what it was told."""

    def __init__(self, urls: list[str], key: str) -> None:
        self._urls = urls
        self._key = key
        self.sold = 0
        self.closing = asyncio.Event()

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(AsyncClient(url, self._key, max_retries=200, retry_for_s=PATIENCE_S))
                for url in self._urls
            ]
            while not self.closing.is_set():
                await clients[self.sold % len(clients)].stock.sell("TEA-1", "rome", key=f"till-{self.sold}")
                self.sold += 1
                await asyncio.sleep(0.2)


@asynccontextmanager
async def rush_hour(operator: Operator) -> AsyncIterator[tuple[Till, list[Watcher]]]:
    """A till that sells and a screen on each hub, from here to the end."""
    key = (operator.folder / "ops.key").read_text().strip()
    ledgers = [f"http://127.0.0.1:{operator.port(port)}" for port in ("8080", "8180")]
    streams = [f"ws://127.0.0.1:{operator.port(port)}/v1/stream" for port in ("8090", "8190")]
    async with AsyncClient(ledgers[0], key, max_retries=50) as client:
        await client.locations.put("rome", "Rome")
        await client.stock.receive("TEA-1", "rome", 1_000_000)
        till = Till(ledgers, key)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            watchers = [await stack.enter_async_context(watching_hub(url, key, "rome")) for url in streams]
            selling = tasks.create_task(till.run())
            yield till, watchers
            till.closing.set()
            await selling
            await await_agreement(client, "rome", watchers)
            assert (await client.stock.get("TEA-1", "rome")).on_hand == 1_000_000 - till.sold
            assert [watcher.went_back for watcher in watchers] == [[], []]


async def sold_more(till: Till) -> bool:
    before = till.sold
    return await wait_until(lambda: asyncio.sleep(0, till.sold > before + 2), what="more sales")


WHOLE_PAGE_S = 300
"""Four servers are started five times, one after the other, as the page says it."""


@pytest.fixture
def operator(private_postgres: PostgresServer, redis_url: str, tmp_path: Path) -> Operator:
    require_history()
    return Operator(tmp_path, private_postgres.url(), redis_url)


def test_the_page_is_about_the_version_before() -> None:
    assert set(re.findall(r"stockwire-(\d[\d.]+\d)", text_of(PAGE))) == {version_before()}
    assert f"## [{version_before()}] - 2" in text_of(PAGE)


@pytest.mark.timeout(WHOLE_PAGE_S)
async def test_forward_back_forward_and_contracted_with_screens_and_tills_throughout(
    operator: Operator, private_postgres: PostgresServer
) -> None:
    url = private_postgres.url()
    follower = Follower(operator, PAGE)
    try:
        for heading in ("## 1.", "## 2."):
            await follower.follow_blocks(blocks(PAGE, below=heading))
        async with rush_hour(operator) as (till, _):
            await follower.follow_blocks(blocks(PAGE, below="## 3."))
            for headings in (FORWARD, (BACK,), AGAIN):
                for heading in headings:
                    await follower.follow_blocks(blocks(PAGE, below=heading))
                    await sold_more(till)
                    if heading == BACK:
                        assert "is newer than this version's" in follower.printed("operator")
                    if heading == "## 4.":  # by the doctor
                        assert f"versions: {version_before()}, {VERSION}\n" in follower.printed("operator")
            *contracting, refused, audited = blocks(PAGE, below=CONTRACT)
            await follower.follow_blocks(contracting)
            assert LOST in follower.printed("operator")
            await follower.follow_blocks([refused])
            assert follower.printed("operator") == "ended with 69\n"
            await sold_more(till)
        await follower.follow_blocks([audited])
        assert "every invariant holds" in follower.printed("operator")
        assert await lots(url) == {"", "of both", "new"}
    finally:
        await follower.close()


async def lots(url: str) -> set[str | None]:
    """None would be an event that the backfill has left out."""
    connection = await asyncpg.connect(url)
    try:
        return {row[0] for row in await connection.fetch("select distinct lot from stock_event")}
    finally:
        await connection.close()
