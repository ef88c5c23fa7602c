"""Transfers over HTTP: what is taken, what is refused and in which words, and who may see and end them."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.harness.system import System
from tests.ledger.api import Api, field, problem, receipt, sale


@dataclass(frozen=True, slots=True)
class Way:
    """Five units of ``sku`` at ``source``; ``api`` may do everything."""

    api: Api
    sku: str
    source: str
    target: str

    @property
    def transit(self) -> str:
        return f"transit:{self.target}"

    async def send(
        self, quantity: int = 3, by: Api | None = None, key: str | None = None, **body: Any
    ) -> httpx.Response:
        lines = [{"sku": self.sku, "quantity": quantity}]
        asked = {"from": self.source, "to": self.target, "lines": lines, **body}
        return await keyed(by or self.api, "/v1/transfers", asked, key)

    async def sent(self, quantity: int = 3) -> str:
        answer = await self.send(quantity)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["transfer"]["id"])

    async def on_hand(self, location: str) -> int:
        return int((await self.api.get(f"/v1/levels/{location}/{self.sku}")).json()["on_hand"])


async def keyed(api: Api, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
    return await api.post(path, body, headers={"Idempotency-Key": key or secrets.token_hex(8)})


@pytest.fixture
async def way(api: Api, unique_name: str) -> Way:
    way = Way(api, unique_name, f"a-{unique_name}", f"b-{unique_name}")
    await api.stock(way.source, way.sku, 5)
    await api.stock(way.target, way.sku)
    return way


async def test_units_are_sent_and_arrive_in_parts(way: Way) -> None:
    sent = await way.send(reference="truck-7")
    transfer = sent.json()["transfer"]
    assert (sent.status_code, transfer["state"], transfer["from"], transfer["to"], transfer["reference"]) == (
        *(201, "in_transit", way.source, way.target, "truck-7"),
    )
    assert (await way.api.get(f"/v1/transfers/{transfer['id']}")).json() == transfer
    level = (await way.api.get(f"/v1/levels/{way.transit}/{way.sku}")).json()
    assert (level["on_hand"], level["reserved"], level["available"], level["kind"]) == (3, 3, 0, "transit")
    part = {"lines": [{"sku": way.sku, "quantity": 2}]}
    arrived = await keyed(way.api, f"/v1/transfers/{transfer['id']}/receive", part)
    assert (arrived.status_code, arrived.json()["transfer"]["state"]) == (200, "in_transit")
    rest = await keyed(way.api, f"/v1/transfers/{transfer['id']}/receive", {})
    assert rest.json()["transfer"]["lines"] == [
        {"sku": way.sku, "quantity": 3, "in_transit": 0, "received": 3, "returned": 0, "lost": 0}
    ]
    assert [await way.on_hand(place) for place in (way.source, way.transit, way.target)] == [2, 0, 3]


async def test_the_same_key_gets_the_same_answer_and_no_second_transfer(way: Way) -> None:
    first, again = [await way.send(2, key=f"once-{way.sku}") for _ in range(2)]
    assert (again.headers["idempotency-replayed"], again.json()) == ("true", first.json())
    other = await way.send(1, key=f"once-{way.sku}")
    assert problem(other) == (422, "idempotency-mismatch")
    assert await way.on_hand(way.source) == 3


async def test_more_than_there_is_cannot_be_sent(way: Way) -> None:
    refused = await way.send(6)
    assert problem(refused) == (409, "insufficient-stock")
    assert (refused.json()["available"], refused.json()["requested"]) == (5, 6)


async def test_more_than_is_in_transit_cannot_be_received_returned_or_lost(way: Way) -> None:
    transfer = await way.sent()
    for asked in ("receive", "return", "close"):
        body = {"lines": [{"sku": way.sku, "quantity": 4}]}
        refused = await keyed(way.api, f"/v1/transfers/{transfer}/{asked}", body)
        assert problem(refused) == (409, "transfer-state")
        told = refused.json()
        assert (told["asked"], told["quantity"], told["possible"]) == (asked, 4, 3)


async def test_what_arrives_short_is_lost_and_what_is_refused_goes_back(way: Way) -> None:
    short = {"lines": [{"sku": way.sku, "quantity": 1}], "close": True, "reason": "box torn"}
    arrived = await keyed(way.api, f"/v1/transfers/{await way.sent(2)}/receive", short)
    assert arrived.json()["transfer"]["lines"][0] | {"sku": ""} == {
        **{"sku": "", "quantity": 2, "in_transit": 0, "received": 1, "returned": 0, "lost": 1},
    }
    transfer = await way.sent(2)
    back = await keyed(way.api, f"/v1/transfers/{transfer}/return", {"reason": "refused"})
    assert (back.json()["transfer"]["state"], await way.on_hand(way.source)) == ("returned", 3)
    assert problem(await keyed(way.api, f"/v1/transfers/{transfer}/receive", {})) == (409, "transfer-state")


async def test_nothing_but_transfers_moves_what_is_on_its_way(way: Way) -> None:
    """Also for a key that may write everywhere, and where the request is an ordinary one."""
    await way.sent()
    for line in (receipt(way.transit, way.sku, 1), sale(way.transit, way.sku)):
        for body in (line, {"lines": [line]}):
            assert field(await way.api.move(body)) == (422, "location")
    counted = await way.api.count(way.transit, way.sku, {"on_hand": 3, "expected_version": None})
    assert field(counted) == (422, "location")
    held = {"lines": [{"sku": way.sku, "location": way.transit, "quantity": 1}]}
    assert field(await keyed(way.api, "/v1/reservations", held)) == (422, "location")
    operation = {"operations": [{"key": secrets.token_hex(8), "lines": [receipt(way.transit, way.sku, 1)]}]}
    assert field(await way.api.post("/v1/operations", operation)) == (422, "location")
    for end in ("from", "to"):
        assert field(await way.send(1, None, None, **{end: way.transit})) == (422, end)


async def test_a_location_of_ones_own_stays_ones_own(way: Way) -> None:
    """A shop may have had one of that name before there were transfers."""
    await way.api.stock(way.transit, way.sku, 2)
    assert field(await way.send()) == (422, "to")
    assert (await way.api.move(sale(way.transit, way.sku))).is_success


async def test_a_location_with_the_longest_name_is_sent_to(way: Way) -> None:
    target = (way.target + "ü" * 64)[:64]
    await way.api.put(f"/v1/locations/{target}", {"name": "Far away"})
    for other in (target, target[:-1] + "x"):
        await way.api.put(f"/v1/locations/{other}", {"name": "Far away"})
        sent = await way.send(1, to=other)
        transit = sent.json()["levels"][0 if sent.json()["levels"][0]["kind"] == "transit" else 1]
        assert (len(transit["location"]), transit["on_hand"]) == (64, 1)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("lines[0].quantity", {"lines": [{"sku": "A", "quantity": 0}]}),
    ("lines[0].quantity", {"lines": [{"sku": "A", "quantity": 2**31}]}),
    ("lines[1].sku", {"lines": [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 2}]}),
    ("lines", {"lines": []}),
    ("lines", {"lines": [{"sku": f"A-{n}", "quantity": 1} for n in range(501)]}),
]


@pytest.mark.parametrize(
    ("wrong", "body"), [*WRONG, ("to", {"to": "berlin", "from": "berlin"}), ("from", {"from": ""})]
)
async def test_a_wrong_field_is_named(way: Way, wrong: str, body: dict[str, Any]) -> None:
    assert field(await way.send(**body)) == (422, wrong)


@pytest.mark.parametrize(("wrong", "body"), WRONG)
async def test_a_wrong_field_of_an_end_is_named(way: Way, wrong: str, body: dict[str, Any]) -> None:
    for asked in ("receive", "return", "close"):
        assert field(await keyed(way.api, f"/v1/transfers/{'0' * 32}/{asked}", body)) == (422, wrong)


async def test_units_go_back_to_a_location_that_is_not_the_target(way: Way) -> None:
    transfer = await way.sent()
    assert field(await keyed(way.api, f"/v1/transfers/{transfer}/return", {"to": way.target})) == (422, "to")
    assert problem(await keyed(way.api, f"/v1/transfers/{transfer}/return", {"to": "nowhere"})) == (404, "not-found")


async def test_a_transfer_is_no_reservation_and_the_other_way_round(way: Way) -> None:
    transfer = await way.sent()
    for path in ("cancel", "commit", "fulfil"):
        refused = await keyed(way.api, f"/v1/reservations/{transfer}/{path}", {})
        assert (problem(refused), refused.json()["field"]) == ((404, "not-found"), "reservation")
    assert problem(await way.api.get(f"/v1/reservations/{transfer}")) == (404, "not-found")
    listed = (await way.api.get(f"/v1/reservations?location={way.transit}")).json()
    assert listed["reservations"] == []
    held = {"lines": [{"sku": way.sku, "location": way.source, "quantity": 1}]}
    reservation = (await keyed(way.api, "/v1/reservations", held)).json()["reservation"]["id"]
    refused = await keyed(way.api, f"/v1/transfers/{reservation}/receive", {})
    assert (problem(refused), refused.json()["field"]) == ((404, "not-found"), "transfer")
    assert problem(await way.api.get(f"/v1/transfers/{reservation}")) == (404, "not-found")


async def test_transfers_are_listed_by_what_is_asked_for(way: Way) -> None:
    first, second, third = [await way.sent(1) for _ in range(3)]
    await keyed(way.api, f"/v1/transfers/{first}/receive", {})
    await keyed(way.api, f"/v1/transfers/{second}/close", {})

    async def found(query: str) -> list[str]:
        return [one["id"] for one in (await way.api.get(f"/v1/transfers?{query}")).json()["transfers"]]

    assert await found(f"to={way.target}") == await found(f"from={way.source}") == [first, second, third]
    assert await found(f"from={way.target}") == await found(f"to={way.target}&age_s=1000") == []
    states = {state: await found(f"to={way.target}&state={state}") for state in ("received", "lost", "in_transit")}
    assert states == {"received": [first], "lost": [second], "in_transit": [third]}
    page = (await way.api.get(f"/v1/transfers?to={way.target}&limit=2")).json()
    rest = await way.api.get("/v1/transfers", params={"to": way.target, "after": page["next"]})
    assert [one["id"] for one in rest.json()["transfers"]] == [third]
    assert problem(await way.api.get("/v1/transfers?state=pending")) == (400, "invalid")


async def test_who_may_see_and_end_a_transfer(way: Way, http_system: System) -> None:
    transfer = await way.sent()

    async def may(*scopes: str) -> list[int]:
        """Statuses of a look, a list, a receipt, a return, and of sending."""
        async with Api(http_system.ledger_url, await http_system.key(f"by-{secrets.token_hex(4)}", *scopes)) as api:
            part = {"lines": [{"sku": way.sku, "quantity": 4}]}  # more than there are: a 409 is a yes
            answers = [
                await api.get(f"/v1/transfers/{transfer}"),
                await api.get(f"/v1/transfers?to={way.target}"),
                await keyed(api, f"/v1/transfers/{transfer}/receive", part),
                await keyed(api, f"/v1/transfers/{transfer}/return", part),
                await way.send(9, by=api),
            ]
            return [answer.status_code for answer in answers]

    read, write = "stock:read:", "stock:write:"
    assert await may(write + "elsewhere") == [404, 403, 404, 404, 403]
    assert await may(read + way.source) == [200, 403, 403, 403, 403]
    assert await may(read + way.target) == [200, 200, 403, 403, 403]
    assert await may(write + way.source) == [200, 403, 403, 403, 403]
    assert await may(write + way.target) == [200, 403, 409, 403, 403]
    assert await may(write + way.source, write + way.target) == [200, 403, 409, 409, 409]
    async with Api(http_system.ledger_url, await http_system.key("a", read + way.source)) as api:
        assert [one["id"] for one in (await api.get("/v1/transfers")).json()["transfers"]] == [transfer]
    async with Api(http_system.ledger_url, await http_system.key("b", read + "elsewhere")) as api:
        assert (await api.get("/v1/transfers")).json()["transfers"] == []


async def test_who_may_send_is_told_what_became_of_it_and_nobody_else(way: Way, http_system: System) -> None:
    """A token may have less than all scopes of its owner. Nobody has one for what is on its way."""
    owner = f"by-{secrets.token_hex(4)}"
    scopes = [f"stock:write:{location}" for location in (way.source, way.target)]
    async with Api(http_system.ledger_url, await http_system.key(owner, *scopes)) as api:
        sent, refused, received = keys = [secrets.token_hex(8) for _ in range(3)]
        transfer = (await way.send(3, api, sent)).json()["transfer"]["id"]
        assert problem(await way.send(3, api, refused)) == (409, "insufficient-stock")
        assert (await keyed(api, f"/v1/transfers/{transfer}/receive", {"close": True}, received)).is_success
        known = (await api.post("/v1/operations/query", {"keys": keys})).json()["operations"]
        assert [one["key"] for one in known] == keys
        token = (await api.post("/v1/tokens", {"scopes": scopes[:1]})).json()["token"]
        hidden = await api.post("/v1/operations/query", {"keys": keys}, headers={"Authorization": f"Bearer {token}"})
        assert hidden.json()["operations"] == []
