"""``stockwire import items``."""

from stockwire.asyncio.client import AsyncClient
from stockwire.cli.import_report import preview, rejects_path, report, write_rejects
from stockwire.cli.import_run import check_currency, fail, progress_bar, read_file, rejected, run
from stockwire.cli.import_told import Told
from stockwire.importing import read_items
from stockwire.importing.item_puts import ItemsPut, put_items, without_currency
from stockwire.importing.preview import preview_items


def import_items(told: Told) -> None:
    check_currency(told.currency)
    path = rejects_path(told)
    put = ItemsPut()
    with progress_bar() as progress:
        found = read_file(told, read_items, progress)
        if told.dry_run:
            counts = {"read": found.lines_read, "items": len(found.rows), "rejected": len(found.rejects)}
            preview(told, preview_items(found), counts, rejected(found.rejects))
            return
        if told.currency is None and without_currency(found.rows):
            fail("the file has prices and does not say in which currency: say --currency GBP, or another (ISO 4217)")

        async def work(client: AsyncClient) -> None:
            await put_items(client, found.rows, progress, put, currency=told.currency, keep_codes=bool(told.keep_codes))

        run(told, work, lambda: put.applied)
    rejects = sorted([*found.rejects, *put.rejects], key=lambda reject: reject.line)
    write_rejects(path, rejects)
    counts = {"read": found.lines_read, "applied": put.applied, "refused": 0, "rejected": len(rejects)}
    more = {"created": put.created, "updated": put.updated, "unchanged": put.unchanged}
    report(told, "Imported items:", counts, more, rejected(rejects), path)
