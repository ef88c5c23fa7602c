"""``stockwire import stock``."""

from collections.abc import Sequence

from stockwire.asyncio.client import AsyncClient
from stockwire.cli.import_report import preview, rejects_path, report, write_rejects
from stockwire.cli.import_run import Reason, check_location, fail, progress_bar, read_file, rejected, run
from stockwire.cli.import_told import Told
from stockwire.importing import StockList, read_stock
from stockwire.importing.booking import zeros_lost
from stockwire.importing.counts import Counted, RefusedCount, count_stock, without_doubles
from stockwire.importing.invoice import Reject, zeros_lost_reject
from stockwire.importing.preview import EXAMPLES, preview_stock
from stockwire.importing.stocklist import StockRow
from stockwire.request import is_name


def import_stock(told: Told, location: str | None) -> None:
    if location is not None:
        check_location(location)
    path = rejects_path(told)
    counted, rejects = Counted(), list[Reject]()
    with progress_bar() as progress:
        found = read_file(told, read_stock, progress)
        rows = without_doubles(_placed(found, location, rejects), rejects)
        rejects += found.rejects
        if told.dry_run:
            counts = {"read": found.lines_read, "to count": len(rows), "rejected": len(rejects)}
            preview(told, preview_stock(found), counts, rejected(rejects))
            return

        async def work(client: AsyncClient) -> None:
            zeros = {} if told.keep_codes else await zeros_lost(client, {row.sku for _, row in rows})
            rejects.extend(
                zeros_lost_reject(row.line, row.sku, zeros[row.sku], row.original)
                for _, row in rows
                if row.sku in zeros
            )
            await count_stock(client, [pair for pair in rows if pair[1].sku not in zeros], progress, counted)

        run(told, work, lambda: counted.counted)
    rejects.sort(key=lambda reject: reject.line)
    write_rejects(path, rejects)
    applied = counted.counted + counted.unchanged
    counts = {
        "read": found.lines_read,
        "applied": applied,
        "refused": len(counted.refused),
        "rejected": len(rejects),
    }
    more = {"counted": counted.counted, "unchanged": counted.unchanged, "items": counted.items}
    report(told, "Counted:", counts, more, [*_refusals(counted.refused), *rejected(rejects)], path)


def _placed(found: StockList, location: str | None, rejects: list[Reject]) -> list[tuple[str, StockRow]]:
    """Each row with the location that it is counted at."""
    named = {row.location for row in found.rows if row.location is not None}
    if location is not None:
        if len(named) > 1:
            fail(f"the file has {len(named)} locations: say which is counted at {location} with --only-location NAME")
        return [(location, row) for row in found.rows]
    if any(row.location is None for row in found.rows):
        fail("the file does not say where: say it with --location NAME")
    rejects.extend(
        Reject(
            row.line, f"{row.location!r} is no location: say --only-location and --location", row.original, "location"
        )
        for row in found.rows
        if not is_name(row.location or "")
    )
    return [(row.location, row) for row in found.rows if row.location is not None and is_name(row.location)]


def _refusals(refused: Sequence[RefusedCount]) -> list[Reason]:
    by_word: dict[str, list[RefusedCount]] = {}
    for one in refused:
        by_word.setdefault(one.word, []).append(one)
    return [
        Reason(f"refused, {word}", len(group), tuple(f"line {one.line}: {one.reason}" for one in group[:EXAMPLES]))
        for word, group in by_word.items()
    ]
