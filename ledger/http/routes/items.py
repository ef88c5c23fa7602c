"""``/v1/items``."""

from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ledger.access.access import Access, require, write_scope
from ledger.database.reading import reading, writing
from ledger.http import bodies
from ledger.http.routes.listed import put_list
from server.http.json import Json
from server.http.query import Query, path_name
from server.problems import NotFound

_COLUMNS = "sku, name, price, currency, cast(attributes as text) as attributes"

_PUT = text(f"""
    insert into item (sku, name, price, currency, attributes)
    values (:sku, :name, :price, :currency, cast(cast(:attributes as text) as jsonb))
    on conflict (sku) do update
       set name = excluded.name, price = excluded.price, currency = excluded.currency, attributes = excluded.attributes
    returning {_COLUMNS}
""")
_PUT_MANY = text("""
    with given as (
        select sku, name, price, currency, cast(attributes as jsonb) as attributes
          from unnest(
                 cast(:names as text[]), cast(:name as text[]), cast(:price as numeric[]), cast(:currency as text[]),
                 cast(:attributes as text[])
               ) as listed (sku, name, price, currency, attributes)
    ), put as (
        insert into item (sku, name, price, currency, attributes)
        select sku, name, price, currency, attributes
          from given
         where not exists (
               select from item
                where item.sku = given.sku
                  and (:keep or (item.name, item.price, item.currency, item.attributes)
                                is not distinct from (given.name, given.price, given.currency, given.attributes)))
         order by sku collate "C"
        on conflict (sku) do update
           set name = excluded.name, price = excluded.price, currency = excluded.currency,
               attributes = excluded.attributes
         where not :keep
           and (item.name, item.price, item.currency, item.attributes)
               is distinct from (excluded.name, excluded.price, excluded.currency, excluded.attributes)
        returning sku, xmax = 0 as created
    )
    select sku as name, created from put
""")
_ONE = text(f"select {_COLUMNS} from item where sku = :sku")
_PAGE = text(f"select {_COLUMNS} from item where sku > :after order by sku limit :limit")


class ItemRoutes:
    def __init__(self, engine: AsyncEngine, access: Access) -> None:
        self._engine = engine
        self._access = access

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
        async with writing(self._engine) as connection:
            row = (await connection.execute(_PUT, {"sku": sku, **_stored(item)})).mappings().one()
        return Json(_item(row))

    async def put_many(self, request: Request) -> Response:
        principal = await self._access.admit(request)
        Query(request)
        require(principal, write_scope("*"))
        listed = bodies.items(await request.body())
        names, rows = [item.sku for item in listed.items], [_stored(item) for item in listed.items]
        columns = {column: [row[column] for row in rows] for column in rows[0]}
        return Json(await put_list(self._engine, _PUT_MANY, names, columns, listed.existing))

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
    return {
        "name": item.name,
        # without an exponent: PostgreSQL takes none as large as a 0 may have
        "price": None if item.price is None else round(item.price, bodies.PRICE_DECIMALS_MAX),
        "currency": item.currency,
        "attributes": orjson.dumps({name: _number(value) for name, value in item.attributes.items()}).decode(),
    }


def _number(value: bodies.Attribute) -> bodies.Attribute:
    """orjson takes no whole number of more than 64 bits; one this large is what a double shows of itself."""
    return float(value) if isinstance(value, int) and abs(value) > bodies.EXACT_INTEGER_MAX else value


def _item(row: RowMapping) -> dict[str, Any]:
    return {
        "sku": row["sku"],
        "name": row["name"],
        "price": None if row["price"] is None else price_text(row["price"]),
        "currency": row["currency"],
        "attributes": orjson.Fragment(row["attributes"]),
    }


def price_text(price: Decimal) -> str:
    """Without the zeros that only say how exactly it is stored; two decimals at least, if it has any.

    >>> price_text(Decimal("2.5000")), price_text(Decimal("100.0000")), price_text(Decimal("0.1234"))
    ('2.50', '100', '0.1234')
    """
    whole, _, decimals = f"{price:f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals:0<2}" if decimals else whole
