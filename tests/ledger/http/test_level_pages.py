"""A page of levels says what single reads say, and costs as much as it holds, however many events there are."""

import asyncpg
import pytest
from sqlalchemy import TextClause

from ledger.http.routes import levels as routes
from tests.ledger.api import Api, field, sale
from wire.shards import shard_of

LEVELS = 2_000
FILL = (
    "insert into location (location, name, shard) values ('berlin', '', {shard})",
    "insert into item (sku, name) select 'sku-' || n, '' from generate_series(1, {levels}) n",
    "insert into stock_level (shard, location, sku, on_hand, version)"
    " select {shard}, 'berlin', 'sku-' || n, 7, 1 from generate_series(1, {levels}) n",
    "insert into stock_event (shard, seq, version, sku, location, kind, on_hand_delta, reserved_delta, on_hand,"
    " reserved, operation, actor, committed_at) select {shard}, n, 1, 'sku-' || n, 'berlin', 'receipt', 7, 0, 7, 0,"
    " gen_random_uuid(), '', now() from generate_series(1, {levels}) n",
    "analyze",
)


async def test_a_level_reads_the_same_on_a_page_as_alone(api: Api, unique_name: str) -> None:
    """The page's is written by the database, down to the microseconds."""
    skus = [f"{letter}-{unique_name}" for letter in "ab"]
    for sku in skus:
        await api.stock(unique_name, sku, 9)
    assert (await api.move(sale(unique_name, skus[1]))).is_success
    page = (await api.get("/v1/levels", params={"location": unique_name})).json()
    assert page["levels"] == [(await api.get(f"/v1/levels/{unique_name}/{sku}")).json() for sku in skus]
    assert [level["version"] for level in page["levels"]] == [1, 2]


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        (routes._AT_LOCATION, {"shard": 0, "location": "berlin"}),
        (routes._IN_SHARD, {"shard": 0, "location": ""}),
        (routes._EVERYWHERE, {"location": ""}),
    ],
)
async def test_a_page_does_not_go_through_all_events_of_its_shard(
    database_url: str, statement: TextClause, asked: dict[str, object]
) -> None:
    """It did, page after page, where a shard had fewer events than about a hundred for each level of the page."""
    shard = shard_of("berlin", 4)
    values = {"sku": "", "limit": 1_001, **asked, **({"shard": shard} if "shard" in asked else {})}
    literal = statement.bindparams(**values).compile(compile_kwargs={"literal_binds": True})
    connection = await asyncpg.connect(database_url)
    try:
        for line in FILL:
            await connection.execute(line.format(shard=shard, levels=LEVELS))
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {literal}"))
    finally:
        await connection.close()
    assert f"Seq Scan on stock_event_{shard}" not in plan
    assert f"Index Scan using stock_event_{shard}_shard_location_sku_version_key" in plan


async def test_a_page_says_in_its_head_where_the_next_one_is(api: Api, unique_name: str) -> None:
    """A hub asks for it before it has read this one."""
    for letter in "abc":
        await api.stock(unique_name, f"{letter}&ü,{unique_name}", 1)
    page = await api.get("/v1/levels", params={"location": unique_name, "limit": 2})
    following = page.url.join(page.links["next"]["url"])
    assert following.path == page.url.path
    assert dict(following.params) == {**page.url.params, "after": page.json()["next"]}
    last = await api.get(str(following))
    assert [level["sku"] for level in last.json()["levels"]] == [f"c&ü,{unique_name}"]
    assert "Link" not in last.headers


async def test_the_pages_of_a_shard_have_its_levels_and_no_others(api: Api, unique_name: str) -> None:
    """A relay that reads all levels of one shard had page after page of others, and told nothing meanwhile."""
    names = [f"{unique_name}-{number}" for number in range(8)]
    for name in names:
        await api.stock(name, unique_name, 1)
    found: dict[int, list[str]] = {}
    for shard in range(4):
        following: str | None = f"/v1/levels?shard={shard}&limit=2"
        while following:
            page = await api.get(following)
            rows = page.json()["levels"]
            following = str(page.url.join(page.links["next"]["url"])) if "next" in page.links else None
            assert len(rows) == 2 or following is None, "each page is full but the last"
            assert {row["shard"] for row in rows} <= {shard}
            found.setdefault(shard, []).extend(row["location"] for row in rows if row["sku"] == unique_name)
    expected: dict[int, list[str]] = {}
    for name in names:
        expected.setdefault(shard_of(name, 4), []).append(name)
    assert {shard: there for shard, there in found.items() if there} == expected
    assert field(await api.get(f"/v1/levels?shard=0&location={names[0]}")) == (400, "shard")
    assert (await api.get("/v1/levels?shard=4")).status_code == 404
    assert field(await api.get("/v1/levels?shard=x")) == (400, "shard")


async def test_larger_pages_are_for_hubs_alone(api: Api, unique_name: str) -> None:
    """Whoever else is slow to take so much would fill the ledger's memory."""
    most = routes.HUB_PAGE_MAX
    key = (await api.post("/v1/keys", {"owner": unique_name, "scopes": ["hub"]})).json()["key"]
    hub = {"Authorization": f"Bearer {key}"}
    assert (await api.get("/v1/levels", params={"limit": most}, headers=hub)).status_code == 200
    assert field(await api.get("/v1/levels", params={"limit": most + 1}, headers=hub)) == (400, "limit")
    key = (await api.post("/v1/keys", {"owner": unique_name, "scopes": ["stock:read:*"]})).json()["key"]
    other = {"Authorization": f"Bearer {key}"}
    assert (await api.get("/v1/levels", params={"limit": 1_000}, headers=other)).status_code == 200
    assert field(await api.get("/v1/levels", params={"limit": 1_001}, headers=other)) == (400, "limit")
