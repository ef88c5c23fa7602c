"""Orders that are paid for: held, charged, committed, or neither money nor stock is taken. See docs/how-to/orders.md.

Start with `Orders`, or with `AsyncOrders` on asyncio, and a journal: `SqliteJournal` or `PostgresJournal`.
"""

from typing import TYPE_CHECKING

from stockwire.exports import exports

if TYPE_CHECKING:
    from stockwire.orders.asyncio import AsyncOrders, AsyncSaga
    from stockwire.orders.errors import (
        ChargedWithoutStock,
        ChargeUnknown,
        ChargeUnresolved,
        OrderBusy,
        OrderCancelled,
        OrderDeclined,
        OrderError,
        OrderExpired,
        OrderRefused,
        OrderTaken,
    )
    from stockwire.orders.journal import Journal, JournalError, Row
    from stockwire.orders.order import Declined, Limit, Order, OrderState, Shortage
    from stockwire.orders.postgres_journal import PostgresJournal
    from stockwire.orders.resumed import Resumed
    from stockwire.orders.sqlite_journal import SqliteJournal
    from stockwire.orders.sync import Orders, Saga

__all__ = [
    "AsyncOrders",
    "AsyncSaga",
    "ChargeUnknown",
    "ChargeUnresolved",
    "ChargedWithoutStock",
    "Declined",
    "Journal",
    "JournalError",
    "Limit",
    "Order",
    "OrderBusy",
    "OrderCancelled",
    "OrderDeclined",
    "OrderError",
    "OrderExpired",
    "OrderRefused",
    "OrderState",
    "OrderTaken",
    "Orders",
    "PostgresJournal",
    "Resumed",
    "Row",
    "Saga",
    "Shortage",
    "SqliteJournal",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "asyncio": "AsyncOrders AsyncSaga",
            "errors": (
                "ChargedWithoutStock ChargeUnknown ChargeUnresolved OrderBusy OrderCancelled OrderDeclined OrderError "
                "OrderExpired OrderRefused OrderTaken"
            ),
            "journal": "Journal JournalError Row",
            "order": "Declined Limit Order OrderState Shortage",
            "postgres_journal": "PostgresJournal",
            "resumed": "Resumed",
            "sqlite_journal": "SqliteJournal",
            "sync": "Orders Saga",
        },
    )
