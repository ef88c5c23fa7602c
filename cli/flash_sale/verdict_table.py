"""A verdict as people read it, at most 80 columns wide. Pure."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.flash_sale.verdict import FaultFound, HoldsFound, ScreensFound, Verdict

COLUMNS_MAX = 80


def verdict_table(verdict: Verdict) -> RenderableType:
    who = "shoppers that hold" if verdict.holds else "buyers"
    title = Text(f"Flash sale: {verdict.sale.buyers:,} {who}, {verdict.sale.units:,} units", style="bold")
    return Group(title, _comparison(verdict), *_findings(verdict), Text(), *_end(verdict))


def _comparison(verdict: Verdict) -> Table:
    sale, naive = verdict.sale, verdict.naive.sale
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    table.add_column("Stockwire", justify="right")
    table.add_column("read, check, update", justify="right")
    for name, ours, theirs in (
        ("sold", f"{sale.sold:,}", f"{naive.sold:,}"),
        ("refused", f"{sale.refused:,}", f"{naive.refused:,}"),
        *((("never paid", f"{sale.never_paid:,}", "–"),) if verdict.holds else ()),
        ("no answer", f"{sale.unknown:,}", f"{naive.unknown:,}"),
        ("oversold", _bad(sale.oversold), _bad(naive.oversold)),
        ("stock left", f"{verdict.audit.on_hand:,}", f"{verdict.naive.on_hand:,}"),
        ("a purchase, p50", _ms(sale.p50_ms), _ms(naive.p50_ms)),
        ("a purchase, p99", _ms(sale.p99_ms), _ms(naive.p99_ms)),
        ("the whole sale", f"{sale.took_s:.2f} s", f"{naive.took_s:.2f} s"),
        ("at once", f"{sale.at_once} over HTTP", f"{naive.at_once} in PostgreSQL"),
    ):
        table.add_row(name, ours, theirs)
    return table


def _findings(verdict: Verdict) -> list[Text]:
    screens, audit = verdict.screens, verdict.audit
    lines = [
        *(_fault(verdict.fault) if verdict.fault else ()),
        *((("holds", _holds(verdict.holds)),) if verdict.holds else ()),
        ("screens", _screens(screens)),
        ("", f"commit to screen p50 {_ms(screens.p50_ms)}, p99 {_ms(screens.p99_ms)}"),
        ("", f"versions that went back: {screens.went_back or 'none'}"),
        ("audit", f"{audit.events:,} events, versions 1 to {audit.version:,}; their sum is {audit.sum_of_deltas:,}"),
    ]
    return [Text(f"  {name:8} {said}") for name, said in lines]


def _fault(fault: FaultFound) -> list[tuple[str, str]]:
    back = "not back" if fault.lasted_s is None else f"back after {fault.lasted_s:.2f} s"
    return [("fault", f"{fault.part} {fault.done}"), ("", f"struck after {fault.sold_before:,} sold, {back}")]


def _holds(holds: HoldsFound) -> str:
    left = f"{holds.open:,} still open" if holds.open else "none open"
    return f"{holds.made:,} made, {holds.paid:,} paid for, {holds.expired:,} expired and came back, {left}"


def _screens(screens: ScreensFound) -> str:
    where = f"{screens.views:,} on {screens.hubs} hub{'s' if screens.hubs > 1 else ''}"
    if screens.healed_s is None:
        return f"{where}, only {screens.equal:,} equal to the ledger"
    return f"{where}, all equal {screens.healed_s * 1000:,.0f} ms after {screens.healed_after}"


def _end(verdict: Verdict) -> list[Text]:
    if verdict.good:
        return [Text(f"✓ {verdict.sale.sold:,} sold, none twice; every screen right", style="bold green")]
    return [Text(f"✗ {reason}", style="bold red") for reason in verdict.reasons()]


def _bad(count: int) -> Text:
    return Text(f"{count:,}", style="bold red" if count else "bold green")


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f} ms"
