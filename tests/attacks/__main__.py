"""``python -m tests.attacks [--attack NAME]``: every attack on a system of one ledger and two hubs, with bystanders.

Ends with a table in Markdown. Exit status 1 if an attack met something else than it should.
"""

import argparse
import asyncio
import shutil
import sys

from cli.launch import Watchdog
from ledger import migrations
from tests.attacks import campaign
from tests.attacks.striker import ATTACKS
from tests.bench.shop import make_folder
from tests.harness.postgres import PostgresServer
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer

BEFORE_S = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="make attacks ARGS=", description=__doc__)
    parser.add_argument("--attack", action="append", choices=[attack.name for attack in ATTACKS], help="only this one")
    options = parser.parse_args()
    sys.exit(asyncio.run(run(options.attack or [])))


async def run(names: list[str]) -> int:
    folder = make_folder()
    attacks = [attack for attack in ATTACKS if not names or attack.name in names]
    with Watchdog() as watchdog:
        postgres, valkey = PostgresServer(folder / "pg", watchdog), ValkeyServer(folder / "valkey", watchdog)
        try:
            postgres.start()
            valkey.start()
            await migrations.expand(postgres.url())
            system = ProcessSystem(folder, postgres.url(), valkey.url, "attacks")
            try:
                await campaign.start(system)
                rows = await campaign.run(system, attacks, 1.0, BEFORE_S, lambda row: say(row.attack.title))
            finally:
                await system.stop()
        finally:
            postgres.stop()
            valkey.stop()
            shutil.rmtree(folder, ignore_errors=True)
    say(campaign.table(rows))
    wrong = [said for row in rows if (said := row.attack.wrong(row.met))]
    say("\n".join(wrong))
    return 1 if wrong else 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
