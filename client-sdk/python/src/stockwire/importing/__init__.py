"""Reading a shop's files and booking them. All but the reading of bytes and the sending (`booking`) is pure.

    for invoice in read_invoices(path):
        print(invoice.number, invoice.at, [(line.sku, line.quantity) for line in invoice.lines])

Bytes become text (`content`, `encoding`), text becomes records (`records`; `workbook` for .xlsx), a header tells which
column is which field (`columns`, `profile`, `shops`), and each column is read as a whole (`fields`, `numbers`, `dates`,
`mangled`). What comes out is a `Sheet` of sales, an `ItemList` or a `StockList`.
"""

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.invoice import Invoice, Reject, StockLine, Unread
from stockwire.importing.itemlist import ItemList, ItemRow, read_items
from stockwire.importing.options import ReadOptions
from stockwire.importing.sheet import Sheet, read_invoices, read_sheet
from stockwire.importing.stocklist import StockList, StockRow, read_stock

__all__ = [
    "Invoice",
    "ItemList",
    "ItemRow",
    "ReadOptions",
    "Reject",
    "Sheet",
    "StockLine",
    "StockList",
    "StockRow",
    "Unread",
    "UnreadableFile",
    "read_invoices",
    "read_items",
    "read_sheet",
    "read_stock",
]
