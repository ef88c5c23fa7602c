"""``stockwire import sales``: reads, plans, books and accounts for every line."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stockwire.asyncio.client import AsyncClient
from stockwire.cli.import_report import preview, rejects_path, report, write_rejects
from stockwire.cli.import_run import (
    Reason,
    check_currency,
    check_location,
    fail,
    options_of,
    progress_bar,
    read_file,
    readable,
    rejected,
    run,
    say,
    say_readings,
)
from stockwire.cli.import_told import Told
from stockwire.importing import Sheet, UnreadableFile, read_sheet
from stockwire.importing.booking import Booked, Opening, OpeningNotSaid, book, zeros_lost
from stockwire.importing.opening import check_zeros, options_for_opening, read_opening
from stockwire.importing.plan import Plan, make_plan
from stockwire.importing.preview import EXAMPLES, preview_sales
from stockwire.importing.progress import Progress
from stockwire.importing.settled import RefusedInvoice

NEEDED, NONE = "needed", "none"


def import_sales(told: Told, location: str, opening: str | None) -> None:
    check_location(location)
    check_currency(told.currency)
    opening_file = Path(opening) if opening not in (None, NEEDED, NONE) else None
    path = rejects_path(told, opening_file)
    with progress_bar() as progress:
        stated = _opening(told, opening_file) if opening_file else _choice(opening)
        sheet = read_file(told, read_sheet, progress)
        _say_prices(told, sheet)
        if told.dry_run:
            _preview(told, location, sheet)
            return
        plan, booked = _book(told, location, stated, sheet, progress, path)
    _report(told, plan, booked, path)


def _opening(told: Told, file: Path) -> Opening:
    with readable():
        found = read_opening(file, options_for_opening(options_of(told)))
    say_readings(found.readings, found.mends, f"{file.name}: ")
    return found.on_hand


def _choice(opening: str | None) -> Opening:
    if opening == NEEDED:
        return "needed"
    return "none" if opening == NONE else None


def _book(
    told: Told, location: str, opening: Opening, sheet: Sheet, progress: Progress, path: Path
) -> tuple[Plan, Booked]:
    booked = Booked()
    plans: list[Plan] = []

    async def work(client: AsyncClient) -> None:
        skus = {line.sku for invoice in sheet.invoices for line in invoice.lines}
        stated = opening.keys() if isinstance(opening, Mapping) else set[str]()
        zeros = {} if told.keep_codes else await zeros_lost(client, skus | stated)
        if not told.keep_codes:
            check_zeros(stated, (skus - zeros.keys()) | set(zeros.values()))
        plan = make_plan(sheet, location, zeros)
        plans.append(plan)
        write_rejects(path, plan.rejects)
        await book(client, plan, opening, progress, booked, told.currency)

    try:
        run(told, work, lambda: booked.applied)
    except UnreadableFile as error:
        fail(str(error))
    except OpeningNotSaid:
        fail(
            f"nothing has ever moved at {location}: say what was on hand before these sales, with --opening needed (as "
            "much as they need), --opening FILE (sku, on_hand) or --opening none"
        )
    return plans[0], booked


def _say_prices(told: Told, sheet: Sheet) -> None:
    lines = (line for invoice in sheet.invoices for line in invoice.lines)
    if told.currency is None and any(line.price is not None and line.currency is None for line in lines):
        say("prices are left out, since the file does not say in which currency: --currency GBP takes them")


def _preview(told: Told, location: str, sheet: Sheet) -> None:
    plan = make_plan(sheet, location)
    counts = {
        "read": plan.lines_read,
        "to book": sum(booking.file_lines for booking in plan.bookings),
        "rejected": len(plan.rejects),
        "invoices": len(plan.bookings),
        "held": len(plan.held),
    }
    _say_held(plan)
    preview(told, preview_sales(sheet, plan), counts, rejected(plan.rejects))


def _report(told: Told, plan: Plan, booked: Booked, path: Path) -> None:
    counts = {
        "read": plan.lines_read,
        "applied": booked.applied,
        "refused": booked.refused_lines,
        "rejected": len(plan.rejects),
    }
    more = {
        "before": booked.before,
        "held": len(plan.held),
        "items": booked.items,
        "opening": sum(booked.opening.values()),
    }
    _say_held(plan)
    if booked.left_alone:
        say(f"{booked.left_alone:,} skus of the opening file have moved here before: they get no opening stock")
    report(
        told,
        f"Imported into {plan.location}:",
        counts,
        more,
        [*_refusals(booked.refused), *rejected(plan.rejects)],
        path,
    )


def _say_held(plan: Plan) -> None:
    if plan.held:
        say(
            f"invoices held back: {len(plan.held):,}, because of a rejected line. Nothing of them is booked: mend the "
            "line and import the file again"
        )


def _refusals(refused: Sequence[RefusedInvoice]) -> list[Reason]:
    by_word: dict[str, list[RefusedInvoice]] = {}
    for invoice in sorted(refused, key=lambda one: one.first_line):
        by_word.setdefault(invoice.word, []).append(invoice)
    return [
        Reason(
            f"refused, {word}",
            sum(invoice.file_lines for invoice in group),
            tuple(f"invoice {one.invoice} (line {one.first_line}): {one.reason}" for one in group[:EXAMPLES]),
        )
        for word, group in by_word.items()
    ]
