"""Reading files of real sales and booking them: `sheet`, `invoice` and `plan` are pure, `booking` sends.

The format is that of the *Online Retail* data set (UCI Machine Learning Repository, doi 10.24432/C5BW33).

    for invoice in read_invoices(path):
        print(invoice.number, invoice.at, [(line.sku, line.quantity) for line in invoice.lines])
"""

from stockwire.importing.invoice import Invoice, Reject, StockLine
from stockwire.importing.sheet import Sheet, UnreadableFile, read_invoices, read_sheet

__all__ = ["Invoice", "Reject", "Sheet", "StockLine", "UnreadableFile", "read_invoices", "read_sheet"]
