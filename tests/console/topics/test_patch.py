"""Only what changed travels, and a page that applies it has what the console has."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from console.topics.patch import patch_of

Rows = list[dict[str, int]]


def data(rows: Rows, at: int = 0, **fields: Any) -> dict[str, Any]:
    return {"at": at, "rows": rows, "state": "live", **fields}


def applied(
    before: dict[str, Any], patch: dict[str, Any] | None, *, new_rows: bool, limit: int = 100
) -> dict[str, Any]:
    """As `console/contract/README.md` tells pages to do it."""
    if patch is None:
        return before
    if "data" in patch:
        return dict(patch["data"])
    beside = {name: value for name, value in patch.items() if name != "rows"}
    if new_rows:
        return {**before, **beside, "rows": [*patch["rows"], *before["rows"]][:limit]}
    changed = {row["sku"]: row for row in patch["rows"]}
    return {**before, **beside, "rows": [changed.get(row["sku"], row) for row in before["rows"]]}


numbered = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=7, unique_by=lambda pair: pair[0])


@given(numbered, numbered, st.booleans())
def test_a_page_that_applies_what_it_is_sent_has_what_the_console_has(
    before: list[tuple[int, int]], now: list[tuple[int, int]], live: bool
) -> None:
    rows = [[{"sku": sku, "available": number} for sku, number in some] for some in (before, now)]
    old, new = data(rows[0]), data(rows[1], at=1, state="live" if live else "stale")
    patch = patch_of(old, new, "rows", ("sku",), new_rows=False)
    shown = applied(old, patch, new_rows=False)
    assert {**shown, "at": 0} == {**new, "at": 0}


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 10))
def test_a_tail_that_applies_what_is_new_is_the_tail(had: int, came: int, limit: int) -> None:
    def tail(newest: int) -> Rows:
        return [{"seq": seq} for seq in range(newest, max(0, newest - limit), -1)]

    old, new = data(tail(had)), data(tail(had + came), at=1)
    patch = patch_of(old, new, "rows", ("seq",), new_rows=True)
    assert applied(old, patch, new_rows=True, limit=limit)["rows"] == new["rows"]


def test_that_it_is_later_is_no_change() -> None:
    assert patch_of(data([]), data([], at=1), "rows", ("sku",), new_rows=False) is None


def test_one_changed_row_of_many_travels_alone() -> None:
    old = [{"sku": number, "available": 5} for number in range(50)]
    new = [{**row, "available": 4} if row["sku"] == 7 else row for row in old]
    patch = patch_of(data(old), data(new, at=3), "rows", ("sku",), new_rows=False)
    assert patch == {"rows": [{"sku": 7, "available": 4}], "at": 3}
