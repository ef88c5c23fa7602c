"""What was refused, from ledgers that keep short lists: what they cannot know is not said."""

from typing import Any

from console.following.nodes import read_page
from console.topics.figures import TWO_READINGS
from console.topics.problems import ProblemsPage
from console.topics.refused import CROWDED_OUT, Refused
from console.topics.watch import Watch
from tests.console.topics.watching import watch_of

ADMIN = ("http://127.0.0.1:8081", "http://127.0.0.1:8082")
TYPE = "insufficient-stock"
LEDGER = """
# TYPE stockwire_ledger_version gauge
stockwire_ledger_version{{version="0.2.0"}} 1.0
# TYPE stockwire_ledger_refused counter
stockwire_ledger_refused_total{{type="insufficient-stock"}} {count}
# TYPE stockwire_ledger_problems counter
stockwire_ledger_problems_total{{type="unauthorized"}} {count}
"""


def refusals(count: int, sku: str = "A", others: int = 0) -> dict[str, Any]:
    level = {"sku": sku, "location": "web", "type": TYPE, "count": count}
    return {"levels": [level], "owners": [{"owner": "till", "type": TYPE, "count": count}], "others": others}


def read(watch: Watch, ledger: int, at_s: float, listed: dict[str, Any]) -> None:
    """As `Nodes` keeps what it reads."""
    node, count = watch.nodes.nodes[ledger], listed["owners"][0]["count"]
    node.answers = True
    node.readings.append(read_page(LEDGER.format(count=count), at_s, ready=True))
    node.refusals_before, node.refusals, node.refusals_s = node.refusals, listed, (node.refusals_s[1], at_s)


async def test_of_one_reading_nobody_knows_how_many_a_second() -> None:
    async with watch_of(*ADMIN) as watch:
        read(watch, 0, 10.0, refusals(4))
        assert Refused(watch).of_level("A", "web") == ((4, ""), (None, TWO_READINGS))
        await check_rates(watch, None)
        read(watch, 0, 12.0, refusals(10))
        assert Refused(watch).of_level("A", "web") == ((10, ""), (3.0, TWO_READINGS))
        await check_rates(watch, 3.0)
        read(watch, 1, 12.0, refusals(1))
        assert Refused(watch).of_level("A", "web") == ((11, ""), (None, TWO_READINGS)), "not of the second one"


async def check_rates(watch: Watch, per_s: float | None) -> None:
    page = ProblemsPage(watch)
    data = await page.data(page.read(None))  # type: ignore[arg-type]  # it has no arguments
    unknown = {} if per_s is not None else {"per_s": TWO_READINGS}
    for name in ("refused", "refused_by_owner", "refused_by_level", "problems"):
        assert [(row["per_s"], row["unknown"]) for row in data[name]] == [(per_s, unknown)], name


async def test_a_level_that_made_room_in_a_full_list_was_not_refused_0_times() -> None:
    async with watch_of(*ADMIN) as watch:
        for at_s in (10.0, 12.0):
            read(watch, 0, at_s, refusals(4))
            read(watch, 1, at_s, refusals(7, "B"))
        assert Refused(watch).of_level("C", "web") == ((0, ""), (0.0, TWO_READINGS))
        read(watch, 1, 14.0, refusals(7, "B", others=3))
        assert Refused(watch).of_level("C", "web") == ((None, CROWDED_OUT), (None, CROWDED_OUT))
        assert Refused(watch).of_level("A", "web")[0] == (None, CROWDED_OUT), "the second one may have had more of it"
        assert Refused(watch).of_level("B", "web")[0] == (7, "")
