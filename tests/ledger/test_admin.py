"""Metrics and defects: what an operator gets to see."""

from dataclasses import fields
from urllib.parse import urlsplit

import asyncpg
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.commit import counters
from ledger.database.slots import PUBLICATION
from ledger.feed import publisher
from ledger.metrics import PUBLISHER_HELP, WRITER_HELP
from ledger.migrations.revisions import newest
from server.http.problems import Problems
from server.version import VERSION
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import proxy_to_socket
from tests.harness.system import ResidentSystem, System
from tests.ledger.api import LEDGER

OLDEST_SNAPSHOT = "\nstockwire_ledger_oldest_snapshot_seconds "
WAL_LOGICAL = "\nstockwire_ledger_wal_logical "
SCRAPE_S = 9.0
"""A little less than Prometheus' own patience."""


def test_every_counter_is_exported_and_explained() -> None:
    # Of their own: refusals by kind, how long everything took as histograms, who was refused what at /refusals
    by_themselves = {"refusals", "waits", "took", "statements", "refused"}
    assert {field.name for field in fields(counters.Counters)} == {*WRITER_HELP, *by_themselves}
    assert {field.name for field in fields(publisher.Counters)} == set(PUBLISHER_HELP)


async def test_the_admin_port_has_metrics_and_health_and_the_public_one_no_metrics(http_system: System) -> None:
    async with httpx.AsyncClient() as client:
        admin = http_system.ledgers[0].admin
        metrics = await client.get(f"{admin}/metrics")
        assert metrics.headers["content-type"].startswith("text/plain; version=")
        assert OLDEST_SNAPSHOT in metrics.text
        assert (await client.get(f"{admin}/readyz")).json() == {
            "status": "ready",
            "version": VERSION,
            "schema": newest(),
        }
        assert (await client.get(f"{admin}/healthz")).json() == {"status": "ok"}
        assert (await client.get(f"{http_system.ledger_url}/metrics")).status_code == 404
        assert (await client.get(f"{admin}/v1/items")).status_code == 404


async def test_a_database_that_hangs_does_not_make_a_ledger_look_dead(
    system: ResidentSystem, postgres: PostgresServer
) -> None:
    async with proxy_to_socket(postgres.socket) as database, httpx.AsyncClient(timeout=SCRAPE_S) as client:
        by_proxy = postgres.proxied_url(database.port, urlsplit(system.database_url).path.lstrip("/"))
        ledger = await system.start_ledger(STOCKWIRE_DATABASE_URL=by_proxy)
        database.stall()
        scraped = (await client.get(f"{ledger.admin}/metrics")).text
        assert "stockwire_ledger_in_flight" in scraped
        assert OLDEST_SNAPSHOT not in scraped


async def test_that_debezium_cannot_read_is_told_only_where_it_is_meant_to(system: ResidentSystem) -> None:
    ledger = await system.start_ledger()
    connection = await asyncpg.connect(system.database_url)
    try:
        async with httpx.AsyncClient(timeout=SCRAPE_S) as client:
            assert WAL_LOGICAL not in (await client.get(f"{ledger.admin}/metrics")).text
            await connection.execute(f"create publication {PUBLICATION}")
            assert f"{WAL_LOGICAL}0" in (await client.get(f"{ledger.admin}/metrics")).text
    finally:
        await connection.close()


async def test_a_defect_is_a_problem_that_says_nothing_of_the_inside() -> None:
    async def broken(_request: Request) -> Response:
        raise ZeroDivisionError("a secret of the inside")

    app, problems = Starlette(routes=[Route("/broken", broken)]), Problems()
    problems.install(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
        answer = await client.get("/broken")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    LEDGER.check_schema(answer.json(), {"$ref": "#/components/schemas/BlankProblem"})
    assert "secret" not in answer.text
    assert problems.by_type["about:blank"] == 1
