"""The calibration picture of a back-test as SVG: by series the PIT histogram with its binomial band, and nominal against observed coverage.
They compute nothing but places on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import QuestionError
from .html import put
from .svg import BLUE, BOTTOM, FAINT, GREY, HEIGHT, INK, TOP, line, marked, page, text

LEFT, WIDE, RIGHT, NARROW = 70, 270, 420, 250  # where the two halves of a panel stand, and how wide they are
BAND = "#dfe8f2"
READING = (
    "Left: where what came lay among the values of its", "forecast; even bars are right. Right, by series:",
    "share of what came that an interval held, with its", "90 % interval; the line is nominal. A series counts",
    "as many trials as it has distinct target quarters.",
)  # fmt: skip
MOST = 0.8  # share of a fifth at the top of a histogram, unless one is higher


def require_picture(target: Path) -> None:
    """Raises QuestionError, before anything is computed, for a name that is no picture's."""
    if target.suffix != ".svg":
        raise QuestionError(f"'{target.name}' is no picture: --out takes a name that ends in .svg")


def write(told: dict[str, Any], target: Path) -> None:
    """Write the picture; the old file stays whole if writing fails. Raises QuestionError where no series is scored."""
    put(marked(picture(told)).encode(), target)


def picture(told: dict[str, Any]) -> str:
    """A panel a series, and all of them together first."""
    if not told["calibration"]:
        raise QuestionError("no series has six distinct target quarters: there is nothing to draw")
    whole = told["together"]
    head = f"All {whole['series']} series: {whole['forecasts']} forecasts of {whole['quarters']} quarters"
    panels = [panel(f"{head}, as if independent", whole)]
    for one in told["calibration"]:
        panels.append(panel(f"{one['series']}: {one['forecasts']} forecasts of {one['quarters']} quarters", one))
    return page(panels, "calibration of the back-test")


def panel(title: str, one: dict[str, Any]) -> str:
    """Histogram at the left, coverage at the right where it is told, weak points above."""
    said = f"weak: {'; '.join(one['weak'])}" if one["weak"] else "no weak point beyond chance"
    more = text(RIGHT, TOP + 4, "share held by intervals of 50, 80, 90 %", "start", GREY) if one["coverage"] else ""
    head = text(LEFT, 18, title, "start", more="font-weight='600'") + text(LEFT, 34, said, "start", GREY)
    note = text(LEFT, TOP + 4, "PIT by fifths; band: nine cases of ten by chance", "start", GREY)
    return head + note + histogram(one) + (more + coverage(one["coverage"]) if more else reading())


def reading() -> str:
    """How the panels are read, where no coverage is told."""
    return "".join(text(RIGHT - 20, TOP + 40 + 20 * k, words, "start", GREY) for k, words in enumerate(READING))


def histogram(one: dict[str, Any]) -> str:
    """Bars of the fifths over the binomial band, and the fifth that each should have."""
    top: float = max(MOST, *one["fifths"])
    first, last = TOP + 16, HEIGHT - BOTTOM

    def y(share: float) -> float:
        return last - (last - first) * share / top

    low, high = one["band"]
    parts = [f"<rect x='{LEFT}' y='{y(high):.1f}' width='{WIDE}' height='{y(low) - y(high):.1f}' fill='{BAND}'/>"]
    parts += [line(LEFT, y(s), LEFT + WIDE, y(s)) + text(LEFT - 8, y(s) + 4, f"{100 * s:.0f} %", "end") for s in (0.0, 0.2, 0.4, 0.6)]
    for k, share in enumerate(one["fifths"]):
        at = LEFT + WIDE * (k + 0.14) / 5
        parts.append(f"<rect x='{at:.1f}' y='{y(share):.1f}' width='{WIDE * 0.72 / 5:.1f}' height='{last - y(share):.1f}' fill='{BLUE}'/>")
    parts += [text(LEFT + WIDE * k / 5, last + 18, f"{0.2 * k:.1f}") for k in range(6)]
    parts.append(line(LEFT, y(0.2), LEFT + WIDE, y(0.2), INK))
    return "".join(parts)


def coverage(rows: list[dict[str, Any]]) -> str:
    """Observed against nominal shares with their intervals, and the diagonal on which both agree."""
    first, last = TOP + 16, HEIGHT - BOTTOM

    def x(share: float) -> float:
        return RIGHT + NARROW * share

    def y(share: float) -> float:
        return last - (last - first) * share

    marks = (0.0, 0.25, 0.5, 0.75, 1.0)
    parts = [line(x(0), y(s), x(1), y(s), FAINT) + text(RIGHT - 8, y(s) + 4, f"{100 * s:.0f} %", "end") for s in marks]
    parts.append(line(x(0), y(0), x(1), y(1), INK))
    for row in rows:
        at = x(row["level"])
        parts += [line(at, y(row["low"]), at, y(row["high"]), BLUE, 3.0), text(at, last + 18, f"{100 * row['level']:.0f}")]
        parts.append(f"<circle cx='{at:.1f}' cy='{y(row['held']):.1f}' r='4.5' fill='{BLUE}'/>")
    return "".join(parts)
