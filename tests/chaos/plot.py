"""A plot of values over time as an SVG, on a scale of powers of ten: enough to see a slope, a step or a peak."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1_000, 360, 70, 160, 30, 110
COLOURS = ("#036", "#c30", "#393", "#939", "#c90", "#399")


@dataclass(frozen=True, slots=True)
class Line:
    """``at_s``: seconds from the beginning, as many as ``values``."""

    name: str
    at_s: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Band:
    """Something that was so for a while."""

    name: str
    since_s: float
    until_s: float


def plot(lines: Sequence[Line], title: str, bands: Sequence[Band] = ()) -> str:
    """Values of 1 and below are drawn at the bottom."""
    end_s = max([1.0, *(at for line in lines for at in line.at_s), *(band.until_s for band in bands)])
    top = max([10.0, *(value for line in lines for value in line.values)])
    decades = int(log10(top)) + 1

    def x(at_s: float) -> float:
        return LEFT + at_s / end_s * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - log10(max(value, 1.0)) / decades * (HEIGHT - BOTTOM - TOP)

    parts = [_text(LEFT, 18, title, size=13)]
    for band in bands:
        width = max(x(band.until_s) - x(band.since_s), 1.0)
        place = f'x="{x(band.since_s):.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - BOTTOM - TOP}"'
        parts.append(f'<rect {place} fill="#fdd"/>')
        parts.append(_text(x(band.since_s), HEIGHT - BOTTOM + 12, band.name, size=9, turn=35))
    for decade in range(decades + 1):
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(10**decade):.1f}" y2="{y(10**decade):.1f}" stroke="#ccc"/>'
        )
        parts.append(_text(LEFT - 50, y(10**decade) + 4, f"{10**decade:,}", size=10))
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in zip(line.at_s, line.values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1"/>')
        parts.append(_text(WIDTH - RIGHT + 8, TOP + 14 * (number + 1), line.name, size=10, colour=colour))
    parts.append(_text(WIDTH - RIGHT - 30, HEIGHT - BOTTOM + 14, f"{end_s:,.0f} s", size=10))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )


def write(path: Path, picture: str) -> None:
    """Into a folder that is made if need be."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(picture)


def _text(x: float, y: float, text: str, *, size: int, colour: str = "#000", turn: int = 0) -> str:
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{turned}>{escape(text)}</text>'
