"""How far each row is from its target, before and now, as one picture: bars on a logarithmic axis, the target a line.

Written by hand as SVG: a plotting library would be the largest dependency of the tests.
"""

import math
from html import escape

from tests.bench.results import Result, Results

LABELS, BARS, FIGURES = 330, 420, 210
"""Widths of the columns, in pixels."""
ROW, BAR, TOP, BOTTOM = 34, 11, 62, 24
LEAST, MOST = 1 / 16, 16.0
"""Where bars end, however far a row is from its target."""
MET, MISSED, BEFORE, INK, FAINT = "#2a7f4f", "#c2571a", "#b9bec5", "#1f2328", "#d8dce1"


def plot(results: Results) -> str:
    rows = [row for row in results.rows if row.margin is not None]
    width, height = LABELS + BARS + FIGURES, TOP + ROW * len(rows) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _text(12, 24, "Times better than the target (worse: left of the line)", size=15),
        *_key(),
        *_axis(height),
    ]
    for number, row in enumerate(rows):
        parts += _row(row, TOP + ROW * number)
    return "\n".join((*parts, "</svg>")) + "\n"


def place(margin: float) -> float:
    """Where on the axis a margin is, in pixels from the left of the picture."""
    share = math.log(min(max(margin, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return round(LABELS + BARS * share, 1)


def _row(row: Result, top: float) -> list[str]:
    now, before = row.margin or 0, row.margin_before
    said = f"{row.ratio:.3g}, target {row.target:.3g}" + (f", was {row.before.ratio:.3g}" if row.before else "")
    return [
        _text(LABELS - 10, top + 16, row.name, anchor="end"),
        _bar(now, top + 3, MET if row.met else MISSED),
        *([_bar(before, top + 3 + BAR + 1, BEFORE)] if before is not None else []),
        _text(LABELS + BARS + 12, top + 16, said),
    ]


def _bar(margin: float, top: float, colour: str) -> str:
    """From the target to the margin."""
    left, right = sorted((place(1), place(margin)))
    return f'<rect x="{left}" y="{top}" width="{max(1.0, round(right - left, 1))}" height="{BAR}" fill="{colour}"/>'


def _axis(height: float) -> list[str]:
    parts = []
    for margin, label in ((1 / 8, "1/8"), (1 / 4, "1/4"), (1 / 2, "1/2"), (1, "target"), (2, "2"), (4, "4"), (8, "8")):
        at, colour = place(margin), INK if margin == 1 else FAINT
        parts.append(f'<line x1="{at}" y1="{TOP - 6}" x2="{at}" y2="{height - BOTTOM}" stroke="{colour}"/>')
        parts.append(_text(at, TOP - 12, label, anchor="middle"))
    return parts


def _key() -> list[str]:
    parts, left = [], LABELS + BARS - 30
    for colour, word in ((MET, "met"), (MISSED, "missed"), (BEFORE, "before")):
        parts.append(f'<rect x="{left}" y="13" width="{BAR}" height="{BAR}" fill="{colour}"/>')
        parts.append(_text(left + 16, 23, word))
        left += 75
    return parts


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{INK}">{escape(words)}</text>'
