"""Who and what was refused most: short lists, whatever names come."""

from ledger.commit import refused
from ledger.commit.refused import LISTED_MAX, RefusedLists
from ledger.errors import InsufficientStock, ReservationState, VersionConflict


def test_a_refusal_is_listed_by_its_level_and_its_owner() -> None:
    lists = RefusedLists()
    for _ in range(2):
        lists.count(InsufficientStock("A", "berlin", 1, 2), "till-7")
    lists.count(VersionConflict(2, {"sku": "B", "location": "rome", "version": 3}), "till-8")
    lists.count(ReservationState("r", "pending", "fulfil", "why"), "shop")
    document = lists.document()
    assert [(one["sku"], one["location"], one["type"], one["count"]) for one in document["levels"]] == [
        ("A", "berlin", "insufficient-stock", 2),
        ("B", "rome", "version-conflict", 1),
    ], "what is about a hold as a whole has no level"
    assert [(one["owner"], one["count"]) for one in document["owners"]] == [("till-7", 2), ("shop", 1), ("till-8", 1)]
    assert document["others"] == 0


def test_names_without_end_cost_no_memory_and_hide_nothing_that_is_refused_often() -> None:
    lists = RefusedLists()
    for number in range(3 * LISTED_MAX):
        lists.count(InsufficientStock("often", "berlin", 0, 1), "busy")
        lists.count(InsufficientStock(f"S{number}", "berlin", 0, 1), f"owner-{number}")
    document = lists.document()
    assert (len(document["levels"]), len(document["owners"])) == (refused.LISTED_MAX, refused.LISTED_MAX)
    assert (document["levels"][0]["sku"], document["levels"][0]["count"]) == ("often", 3 * LISTED_MAX)
    assert document["owners"][0]["owner"] == "busy"
    assert document["others"] == 2 * (2 * LISTED_MAX + 1)
