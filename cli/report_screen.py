"""A doctor's report on a terminal: in its width, with colours where there are any."""

from rich.console import Console
from rich.text import Text

from cli.findings import SIGNS, FindingState, Report

_STYLES = {
    FindingState.GOOD: "green",
    FindingState.WARNING: "bold yellow",
    FindingState.FAILED: "bold red",
    FindingState.SKIPPED: "dim",
}


def show(report: Report) -> None:
    console = Console(highlight=False)
    text = Text(report.as_text(console.width))
    for state, sign in SIGNS.items():
        text.highlight_regex(rf"(?m)^{sign}", _STYLES[state])
    console.print(text, soft_wrap=True)
