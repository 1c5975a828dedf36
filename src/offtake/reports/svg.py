"""Small charts as SVG text: lines with bands and error bars, and a grid of coloured cells. They compute nothing but places on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from ..files import MARK
from ..units import format_value

WIDTH, HEIGHT = 720, 320
LEFT, RIGHT, TOP, BOTTOM = 108, 24, 46, 52
INK, GREY, FAINT, BLUE = "#1f2933", "#52606d", "#d5dbe1", "#1f5fa8"
LIGHT, DARK = (239, 245, 251), (24, 78, 140)
FONT = "font-family='system-ui, sans-serif' font-size='12'"


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, about `count` of them."""
    span = high - low
    if not span > 0.0:
        return [low]
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if s * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, int(math.floor(high / step + 1e-9)) + 1)]


def page(panels: Sequence[str], title: str) -> str:
    """Panels one below the other as one SVG."""
    body = "".join(f"<g transform='translate(0,{k * HEIGHT})'>{panel}</g>" for k, panel in enumerate(panels))
    height = HEIGHT * len(panels)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' role='img' "
        f"aria-label='{escape(title, quote=True)}'><rect width='100%' height='100%' fill='#fff'/>{body}</svg>\n"
    )


def marked(drawn: str) -> str:
    """The SVG as a file of ours, which a later run may replace."""
    return drawn.replace("><rect", f"><!--{MARK}--><rect", 1)


def text(x: float, y: float, words: str, anchor: str = "middle", colour: str = INK, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}' {FONT} {more}>{escape(words)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, colour: str = FAINT, width: float = 1.0) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' stroke-width='{width}'/>"


def curve(title: str, unit: str, labels: Sequence[str], across: str, points: Sequence[dict[str, Any]]) -> str:
    """Mean with its 95 % interval over the band from p05 to p95, one point a label, in their order."""
    known = [v for p in points for v in (p["p05"], p["p95"], p["mean"]) if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    pad = 0.05 * (high - low) or abs(high) * 0.05 or 1.0
    low, high = low - pad, high + pad

    def x(k: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (0.5 if len(labels) == 1 else k / (len(labels) - 1))

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts = [text(LEFT, 20, title, "start", more="font-weight='600'")]
    parts.append(text(LEFT, 36, "mean with its 95 % interval; band p05 to p95", "start", GREY))
    parts += [line(LEFT, y(v), WIDTH - RIGHT, y(v)) + text(LEFT - 8, y(v) + 4, format_value(v, unit), "end") for v in ticks(low, high)]
    every = max(1, math.ceil(len(labels) / 8))
    parts += [text(x(k), HEIGHT - BOTTOM + 18, label) for k, label in enumerate(labels) if k % every == 0]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, across, colour=GREY))
    there = [(k, p) for k, p in enumerate(points) if p["mean"] is not None and p["p05"] is not None]
    if there:
        edge = [f"{x(k):.1f},{y(p['p95']):.1f}" for k, p in there] + [f"{x(k):.1f},{y(p['p05']):.1f}" for k, p in reversed(there)]
        parts.append(f"<polygon points='{' '.join(edge)}' fill='{BLUE}' fill-opacity='0.14'/>")
        run = " ".join(f"{x(k):.1f},{y(p['mean']):.1f}" for k, p in there)
        parts.append(f"<polyline points='{run}' fill='none' stroke='{BLUE}' stroke-width='2'/>")
        for k, p in there:
            half = 2.131 * (p["se"] or 0.0)
            parts.append(line(x(k), y(p["mean"] - half), x(k), y(p["mean"] + half), BLUE, 2.0))
            parts.append(f"<circle cx='{x(k):.1f}' cy='{y(p['mean']):.1f}' r='3' fill='{BLUE}'/>")
    return "".join(parts)


Axis = tuple[str, Sequence[str]]  # what it is, and its labels


def cells(title: str, unit: str, across: Axis, down: Axis, means: Sequence[Sequence[float | None]]) -> str:
    """A grid of means, darker where larger; `means` has one row a value of `down`."""
    known = [v for row in means for v in row if v is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    wide, tall = (WIDTH - LEFT - RIGHT) / len(across[1]), (HEIGHT - TOP - BOTTOM) / len(down[1])
    parts = [text(LEFT, 20, title, "start", more="font-weight='600'"), text(LEFT, 36, f"mean; down: {down[0]}", "start", GREY)]
    for r, (label, row) in enumerate(zip(down[1], means)):
        parts.append(text(LEFT - 8, TOP + tall * (r + 0.5) + 4, label, "end"))
        for c, value in enumerate(row):
            share = 0.0 if value is None or high == low else (value - low) / (high - low)
            colour = "#fff" if value is None else "rgb({},{},{})".format(*(round(a + (b - a) * share) for a, b in zip(LIGHT, DARK)))
            at = f"x='{LEFT + wide * c:.1f}' y='{TOP + tall * r:.1f}' width='{wide - 1:.1f}' height='{tall - 1:.1f}'"
            parts.append(f"<rect {at} fill='{colour}'/>")
            if wide >= 66 and tall >= 16:
                middle = (LEFT + wide * (c + 0.5), TOP + tall * (r + 0.5) + 4)
                parts.append(text(*middle, format_value(value, unit), colour="#fff" if share > 0.55 else INK))
    every = max(1, math.ceil(len(across[1]) / 10))
    parts += [text(LEFT + wide * (c + 0.5), HEIGHT - BOTTOM + 18, label) for c, label in enumerate(across[1]) if c % every == 0]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, across[0], colour=GREY))
    return "".join(parts)
