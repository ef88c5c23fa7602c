"""What `stockwire channels` has of the orders of marketplaces, held to what they and the ledger say themselves."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from tests.followers.marketplaces.selling_at import LOCATION, Seller
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

PAGE = 1_000
APART_S = 0.25
"""Between two looks: what answers them is what is waited for."""


class Told(Protocol):
    """A marketplace that tells its truth to tests."""

    async def truth(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """Of one channel, in units of skus that are ours: ``there`` by order, ``booked`` and ``oversold`` here."""

    there: Mapping[str, Counter[str]]
    booked: int
    oversold: int


@dataclass(frozen=True, slots=True)
class Books:
    """``owner``: asks the API of `stockwire channels`. ``markets``: by channel; ``skus``: of our listings there, by
    channel and id."""

    api: Api
    owner: httpx.AsyncClient
    seller: Seller
    markets: Mapping[str, Told]
    skus: Mapping[str, Mapping[str, str]]

    async def ask(self, path: str) -> Any:
        answer = await self.owner.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    async def orders(self, channel: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = await self.ask(f"/v1/channels/{channel}/orders?limit={PAGE}" + (f"&after={after}" if after else ""))
            found += page["orders"]
            after = page["next"]
        return found

    async def level(self, sku: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.get(f"/v1/levels/{LOCATION}/{sku}")).json()
        return found

    async def history(self, sku: str) -> list[dict[str, Any]]:
        """Every event of its level."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["version"] if found else 0
            answer = await self.api.get(f"/v1/levels/{LOCATION}/{sku}/events?after={after}&limit={PAGE}")
            if not (events := answer.json()["events"]):
                return found
            found += events

    async def known(self, within_s: float) -> None:
        """Until every order there is here, and booked as far as it can be."""
        missing: dict[str, set[str]] = {}

        async def all_there() -> bool:
            await asyncio.sleep(APART_S)
            for name, there in self.markets.items():
                done = {one["id"] for one in await self.orders(name) if not one["waits"]}
                missing[name] = {one["id"] for one in (await there.truth())["orders"]} - done
            return not any(missing.values())

        try:
            await wait_until(all_there, within_s, swallow=httpx.HTTPError)
        except AssertionError as error:
            raise AssertionError(f"not booked yet: {missing}") from error

    async def agree(self, within_s: float) -> None:
        """Until every listing there offers what is available here."""
        differ: dict[tuple[str, str], tuple[int, int]] = {}

        async def everywhere() -> bool:
            await asyncio.sleep(APART_S)
            here = (await self.api.get(f"/v1/levels?location={LOCATION}&limit={PAGE}")).json()["levels"]
            available = {level["sku"]: level["available"] for level in here}
            differ.clear()
            for name, there in self.markets.items():
                levels = (await there.truth())["levels"]
                for listing, sku in self.skus[name].items():
                    offered, wanted = (max(0, units) for units in (levels[listing], available.get(sku, 0)))
                    if offered != wanted:
                        differ[name, listing] = offered, wanted
            return not differ

        try:
            await wait_until(everywhere, within_s, swallow=httpx.HTTPError)
        except AssertionError as error:
            standing = await self.seller.standing(listing for _, listing in differ)
            raise AssertionError(f"offered and available: {differ}; {standing}") from error

    async def kept(self, channel: str) -> Kept:
        """Raises AssertionError unless each order there is one here, of the same lines, each unit of it booked or
        recorded as oversold."""
        orders = await self.orders(channel)
        assert len({one["id"] for one in orders}) == len(orders), f"{channel}: an order is here twice"
        truth = (await self.markets[channel].truth())["orders"]
        there = {one["id"]: units for one in truth if (units := self._units(channel, one["lines"], "id"))}
        told = {one["id"]: one for one in orders if one["state"] != "cancelled"}
        here = {one: self._units(channel, order["lines"], "remote") for one, order in told.items()}
        assert {one: units for one, units in here.items() if units} == there, channel
        booked = oversold = 0
        for one in orders:
            taken = [(row["sku"], row["sold"] + row["held"]) for row in one["booked"]]
            short = [(row["sku"], row["units"]) for row in one["oversold"]]
            assert _summed([*taken, *short]) == there.get(one["id"], Counter()), one
            booked += sum(units for _, units in taken)
            oversold += sum(units for _, units in short)
        return Kept(there, booked, oversold)

    async def each_is_booked_once(self, sold_at_tills: Mapping[str, int] | None = None) -> None:
        """By the ledger's own history: what left or is reserved, by the order that is named. ``sold_at_tills``: by sku,
        where it is known."""
        orders = [one for name in self.markets for one in await self.orders(name)]
        for sku in {sku for listed in self.skus.values() for sku in listed.values()}:
            gone: Counter[tuple[str, str | None]] = Counter()
            for event in await self.history(sku):
                if event["kind"] != "receipt":
                    # A hold's own events name the order without the channel; no two channels have the same numbers.
                    units = event["on_hand_delta"] - event["reserved_delta"]
                    gone[event["actor"], event["reference"]] -= units
            booked: Counter[tuple[str, str | None]] = Counter()
            booked["admin", None] = gone["admin", None] if sold_at_tills is None else sold_at_tills[sku]
            for one in orders:
                taken = sum(row["sold"] + row["held"] for row in one["booked"] if row["sku"] == sku)
                booked["channels", one["number"]] += taken
            assert _without_none(gone) == _without_none(booked), sku

    def _units(self, channel: str, lines: Iterable[Mapping[str, Any]], name: str) -> Counter[str]:
        """By sku. ``name``: under which a line has its listing."""
        skus = self.skus[channel]
        return _summed((skus[line[name]], line["quantity"]) for line in lines if line[name] in skus)


def _summed(units: Iterable[tuple[str, int]]) -> Counter[str]:
    """Without those of which there are none."""
    found: Counter[str] = Counter()
    for name, quantity in units:
        if quantity:
            found[name] += quantity
    return found


def _without_none(units: Mapping[tuple[str, str | None], int]) -> dict[tuple[str, str | None], int]:
    return {one: quantity for one, quantity in units.items() if quantity}
