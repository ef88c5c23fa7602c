"""Which files of tests are begun with, and which of them hold campaigns.

A file stays with one worker, and whoever is given a long one last keeps the run waiting while the others have nothing
left to do: the longest come first, the many short ones fill up the end.
"""

from functools import cache
from pathlib import Path

import pytest

LONGEST = (
    "tests/upgrades/scale/test_beside_sales.py",  # 85 s at a fifth, most of which the migrations wait
    "tests/followers/relay/test_killed.py",  # 80 s, most of which it waits for one relay to take over from another
    "tests/chaos/test_short.py",  # 75 s
    "tests/docs/test_watching.py",  # 70 s
    "tests/browsers/test_client.py",  # 60 s, as it may take
    "tests/browsers/test_frameworks.py",  # 60 s, as it may take
    "tests/upgrades/test_to_the_next.py",  # 60 s
    "tests/docs/test_upgrade.py",  # 60 s
    "tests/upgrades/test_from_before.py",  # 55 s
    "tests/docs/test_how_tos.py",  # 55 s
    "tests/followers/marketplaces/test_vendure.py",  # 60 s, much of which waits for what hangs
    "tests/documented/test_documents.py",  # 50 s
    "tests/cli/test_observe.py",  # 45 s, most of which two systems take to start
    "tests/deploy/observe/test_real_faults.py",  # 45 s, most of which it waits
    "tests/load/test_locustfile.py",  # 40 s
    "tests/attacks/test_short.py",  # 40 s
    "tests/deploy/test_canary.py",  # 50 s, most of which it waits
    "tests/deploy/test_chart_scaled.py",  # 40 s, most of which it waits
    "tests/upgrades/test_to_this.py",  # 40 s
    "tests/model/test_model.py",  # 35 s
    "tests/simulation/test_planted.py",  # 30 s
    "tests/followers/marketplaces/test_selling_at_vendure.py",  # 30 s
    "tests/client/test_clocks.py",  # 25 s
    "tests/deploy/test_gateways.py",  # 60 s, three of them one after the other
    "tests/deploy/test_image.py",  # 25 s
    "tests/deploy/test_chart_runs.py",  # 30 s
    "tests/deploy/observe/test_rules.py",  # 25 s
    "tests/deploy/test_chart_runs.py",  # 20 s
    "tests/harness/brokers/test_brokers.py",  # 25 s, most of which two brokers take to start
    "tests/docs/test_back_up.py",  # 20 s
)
"""With what each took side by side with others on two processors."""

CAMPAIGN = "campaign"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The same in all workers. What is not among the longest stays in its order."""
    ranks = {config.rootpath / file: rank for rank, file in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
    for item in items:
        if item.get_closest_marker(CAMPAIGN) and not names_campaign(item.path):
            raise pytest.UsageError(
                f'{item.path} holds a campaign and does not say "{CAMPAIGN}": ask for it in the file'
            )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """``-m campaign`` reads the files that hold some: all the others take longer to import than many a campaign."""
    other = config.option.markexpr == CAMPAIGN and collection_path.suffix == ".py"
    return True if other and not names_campaign(collection_path) else None


@cache
def names_campaign(file: Path) -> bool:
    return f'"{CAMPAIGN}"' in file.read_text()
