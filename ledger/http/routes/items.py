"""``/v1/items``."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
from msgspec import UNSET
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, require, write_scope
from ledger.database.reading import reading, writing
from ledger.feed.heads import Heads
from ledger.http import bodies
from ledger.http.item_hold_limits import NOT_LIMITED
from ledger.http.routes.listed import put_list
from server.http.json import Json
from server.http.query import Query, path_name
from server.problems import NotFound

_LIMIT_NAMES = ("customer_units", "ttl_s", "share_percent")
_LIMITS = ", ".join(f"hold_{name}" for name in _LIMIT_NAMES)
_COLUMNS = f"sku, name, price, currency, cast(attributes as text) as attributes, {_LIMITS}"

_KEPT = ", ".join(f"case when :limited then excluded.{name} else item.{name} end" for name in _LIMITS.split(", "))
_PUT = text(f"""
    insert into item (sku, name, price, currency, attributes, {_LIMITS})
    values (:sku, :name, :price, :currency, cast(cast(:attributes as text) as jsonb),
            cast(:hold_customer_units as int), cast(:hold_ttl_s as int), cast(:hold_share_percent as int))
    on conflict (sku) do update
       set (name, price, currency, attributes, {_LIMITS})
         = (excluded.name, excluded.price, excluded.currency, excluded.attributes, {_KEPT})
    returning {_COLUMNS}
""")
_LIMITED = text("update ledger_meta set items_limited = true where not items_limited")
_PUT_MANY = text("""
    with given as (
        select listed.sku, listed.name, listed.price, listed.currency, cast(listed.attributes as jsonb) as attributes,
               case when limited then listed.hold_customer_units else item.hold_customer_units end
                 as hold_customer_units,
               case when limited then listed.hold_ttl_s else item.hold_ttl_s end as hold_ttl_s,
               case when limited then listed.hold_share_percent else item.hold_share_percent end as hold_share_percent
          from unnest(
                 cast(:names as text[]), cast(:name as text[]), cast(:price as numeric[]), cast(:currency as text[]),
                 cast(:attributes as text[]), cast(:hold_customer_units as int[]), cast(:hold_ttl_s as int[]),
                 cast(:hold_share_percent as int[]), cast(:limited as boolean[])
               ) as listed (sku, name, price, currency, attributes, hold_customer_units, hold_ttl_s,
                            hold_share_percent, limited)
          left join item on item.sku = listed.sku
    ), put as (
        insert into item (sku, name, price, currency, attributes, hold_customer_units, hold_ttl_s, hold_share_percent)
        select sku, name, price, currency, attributes, hold_customer_units, hold_ttl_s, hold_share_percent
          from given
         where not exists (
               select from item
                where item.sku = given.sku
                  and (:keep or (item.name, item.price, item.currency, item.attributes,
                                 item.hold_customer_units, item.hold_ttl_s, item.hold_share_percent)
                                is not distinct from (given.name, given.price, given.currency, given.attributes,
                                 given.hold_customer_units, given.hold_ttl_s, given.hold_share_percent)))
         order by sku collate "C"
        on conflict (sku) do update
           set name = excluded.name, price = excluded.price, currency = excluded.currency,
               attributes = excluded.attributes, hold_customer_units = excluded.hold_customer_units,
               hold_ttl_s = excluded.hold_ttl_s, hold_share_percent = excluded.hold_share_percent
         where not :keep
           and (item.name, item.price, item.currency, item.attributes,
                item.hold_customer_units, item.hold_ttl_s, item.hold_share_percent)
               is distinct from (excluded.name, excluded.price, excluded.currency, excluded.attributes,
                excluded.hold_customer_units, excluded.hold_ttl_s, excluded.hold_share_percent)
        returning sku, xmax = 0 as created
    )
    select sku as name, created from put
""")
_ONE = text(f"select {_COLUMNS} from item where sku = :sku")
_PAGE = text(f"select {_COLUMNS} from item where sku > :after order by sku limit :limit")


class ItemRoutes:
    """``heads``: is told at once when an item says how much of it may be held; other ledgers read it soon after."""

    def __init__(self, engine: AsyncEngine, access: Access, heads: Heads) -> None:
        self._engine = engine
        self._access = access
        self._heads = heads

    def routes(self) -> list[Route]:
        return [
            Route("/v1/items", self.page, methods=["GET"]),
            Route("/v1/items", self.put_many, methods=["PUT"]),
            Route("/v1/items/{sku}", self.put, methods=["PUT"]),
            Route("/v1/items/{sku}", self.one, methods=["GET"]),
        ]

    async def put(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        sku = path_name(request, "sku")
        require(principal, write_scope("*"))
        item = bodies.decode(bodies.item_decoder, await request.body())
        bodies.check_item(item)
        await self._announce([item])
        async with writing(self._engine) as connection:
            row = (await connection.execute(_PUT, {"sku": sku, **_stored(item)})).mappings().one()
        return Json(_item(row))

    async def put_many(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        require(principal, write_scope("*"))
        listed = bodies.items(await request.body())
        await self._announce(listed.items)
        names, rows = [item.sku for item in listed.items], [_stored(item) for item in listed.items]
        columns = {column: [row[column] for row in rows] for column in rows[0]}
        return Json(await put_list(self._engine, _PUT_MANY, names, columns, listed.existing))

    async def _announce(self, items: Sequence[bodies.Item]) -> None:
        """Before one of them is limited: until then no ledger asks whether any is."""
        if not self._heads.items_limited and any(item.hold_limits for item in items):
            async with writing(self._engine) as connection:
                await connection.execute(_LIMITED)
            self._heads.items_limited = True

    async def one(self, request: Request) -> Response:
        await self._access.admit(request)
        Query(request)
        sku = path_name(request, "sku")
        async with reading(self._engine) as connection:
            row = (await connection.execute(_ONE, {"sku": sku})).mappings().one_or_none()
        if row is None:
            raise NotFound("sku", sku)
        return Json(_item(row))

    async def page(self, request: Request) -> Response:
        await self._access.admit(request)
        query = Query(request, "after", "limit")
        after, limit = query.cursor(), query.limit()
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_PAGE, {"after": after, "limit": limit + 1})).mappings().all()
        items = [_item(row) for row in rows[:limit]]
        return Json({"items": items, "next": items[-1]["sku"] if len(rows) > limit else None})


def _stored(item: bodies.Item) -> dict[str, Any]:
    limits = item.hold_limits or NOT_LIMITED
    return {
        "name": item.name,
        # without an exponent: PostgreSQL takes none as large as a 0 may have
        "price": None if item.price is None else round(item.price, bodies.PRICE_DECIMALS_MAX),
        "currency": item.currency,
        "attributes": orjson.dumps({name: _number(value) for name, value in item.attributes.items()}).decode(),
        "limited": item.hold_limits is not UNSET,
        **{f"hold_{name}": getattr(limits, name) for name in _LIMIT_NAMES},
    }


def _number(value: bodies.Attribute) -> bodies.Attribute:
    """orjson takes no whole number of more than 64 bits; one this large is what a double shows of itself."""
    return float(value) if isinstance(value, int) and abs(value) > bodies.EXACT_INTEGER_MAX else value


def _item(row: RowMapping) -> dict[str, Any]:
    """``hold_limits`` stands there if it says any."""
    limits = {name: value for name in _LIMIT_NAMES if (value := row[f"hold_{name}"]) is not None}
    return {
        "sku": row["sku"],
        "name": row["name"],
        "price": None if row["price"] is None else price_text(row["price"]),
        "currency": row["currency"],
        "attributes": orjson.Fragment(row["attributes"]),
        **({"hold_limits": limits} if limits else {}),
    }


def price_text(price: Decimal) -> str:
    """Without the zeros that only say how exactly it is stored; two decimals at least, if it has any.

    >>> price_text(Decimal("2.5000")), price_text(Decimal("100.0000")), price_text(Decimal("0.1234"))
    ('2.50', '100', '0.1234')
    """
    whole, _, decimals = f"{price:f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals:0<2}" if decimals else whole
