"""Routes of reconciliation: runs are asked for, drift is decided about, answers are as the document has them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from starlette.requests import Request

from followers.answers import Answers
from followers.api.app import ANSWERED, create_app
from followers.api.askers import Asker, Askers
from followers.log.ledger import Ledger
from followers.marketplaces.channels import Channel
from followers.marketplaces.reconciling.api.routes import ReconcilingRoutes
from server.http.problems import Problems
from server.problems import NotFound
from server.rates.rate_limits import RateLimits
from tests.followers.marketplaces.orders.conftest import rig as rig
from tests.followers.marketplaces.orders.rig import Rig
from tests.followers.marketplaces.reconciling.shop import Bench
from tests.harness.openapi import document
from tests.harness.waiting import wait_until

CHANNELS = document("channels-openapi.yaml")
BODY_BYTES_MAX = 2**16


@dataclass
class Owner:
    """Asks as the channel's owner, over a bench where ``r1`` differs."""

    http: httpx.AsyncClient
    bench: Bench


@pytest.fixture
async def owner(rig: Rig) -> AsyncIterator[Owner]:
    bench = Bench(rig)
    await rig.stock(10)
    await bench.listing("r1", rig.sku, 10)
    bench.shop.set("r1", 6)

    async def ready() -> None:
        return None

    async with Ledger(rig.system.ledger_url, await rig.system.hub_key()) as ledger:
        limits = RateLimits(0, None, "", "channels", counted="key")
        askers = Askers(ledger, limits)

        async def known(request: Request) -> tuple[Asker, Channel]:
            asker = await askers.of(request)
            if request.path_params["id"] != rig.leased.id:
                raise NotFound("channel", request.path_params["id"])
            return asker, rig.leased.channel

        routes = ReconcilingRoutes(rig.database, known).routes("/v1/channels/{id}")
        app = create_app(routes, limits, Problems(ANSWERED), Answers(), ready, lambda _: BODY_BYTES_MAX)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {await rig.system.admin_key()}"}
        base = f"http://channels/v1/channels/{rig.leased.id}"
        async with httpx.AsyncClient(
            transport=transport, base_url=base, headers=headers, event_hooks={"response": [_held]}
        ) as http:
            yield Owner(http, bench)


async def _held(answer: httpx.Response) -> None:
    await answer.aread()
    CHANNELS.check_answer(answer)


async def test_a_run_is_asked_for_and_its_drift_accepted_by_somebody_for_a_reason(owner: Owner) -> None:
    http, bench = owner.http, owner.bench
    asked = (await http.post("/reconciliations", json={})).json()
    again = (await http.post("/reconciliations", json={"repairs": True})).json()
    assert (again["id"], again["repairs"], again["started_at"]) == (asked["id"], True, None)
    async with bench.running():

        async def ended() -> bool:
            return (await http.get(f"/reconciliations/{asked['id']}")).json()["ended_at"] is not None

        await wait_until(ended)
        (run,) = (await http.get("/reconciliations")).json()["reconciliations"]
        assert (run["compared"], run["differing"], run["repaired"], run["stopped"]) == (1, 1, 0, None)
        (drift,) = (await http.get("/drift")).json()["drift"]
        assert (drift["class"], drift["listing"], drift["ours"], drift["theirs"], drift["repair"]) == (
            *("quantity", "r1", 10, 6, "push"),
        )
        nothing = await http.post("/drift", json={"how": "accept", "class": "unknown-here", "why": "x"})
        assert nothing.json() == {"ids": []}
        done = await http.post("/drift", json={"how": "accept", "ids": [drift["id"]], "why": "as the shop says"})
        assert (done.status_code, done.json()) == (202, {"ids": [drift["id"]]})
        await bench.mended()
    (accepted,) = (await http.get("/drift?state=accepted")).json()["drift"]
    assert (accepted["why"], accepted["outcome"]) == ("as the shop says", "our number is sent again")
    assert accepted["decided_by"] == run["asked_by"]


async def test_what_cannot_be_is_refused_by_its_field(owner: Owner) -> None:
    http = owner.http
    assert (await http.get("/reconciliations/77")).status_code == 404
    assert (await http.get("http://channels/v1/channels/other/drift")).status_code == 404
    for asked, field in (
        (http.get("/drift?state=new"), "state"),
        (http.get("/drift?after=x"), "after"),
        (http.post("/drift", json={"how": "accept", "why": "x"}), "ids"),
        (http.post("/drift", json={"how": "accept", "ids": [1], "why": ""}), "why"),
        (http.post("/drift", json={"how": "mend", "ids": [1], "why": "x"}), "how"),
        (http.post("/drift", json={"how": "accept", "class": "all", "why": "x"}), "class"),
        (http.post("/reconciliations", json={"repairs": 1}), "repairs"),
    ):
        answer = await asked
        assert (answer.status_code in (400, 422), answer.json()["field"]) == (True, field)
