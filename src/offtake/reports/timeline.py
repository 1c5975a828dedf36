"""A replay as a picture: domains down, time across, coloured by job, dark without power, hatched in repair and upkeep; one HTML file."""

from __future__ import annotations

import html
import zlib
from collections.abc import Sequence
from typing import Protocol

from ..files import MARK

WIDTH, ROW, LEFT, RIGHT, GAP, BETWEEN = 1100, 18, 150, 24, 4, 8
MOST_ROWS, FEWEST_ROWS, MOST_SPANS = 120, 8, 20_000
STEPS = (60, 300, 900, 1_800, *(3_600 * h for h in (1, 2, 3, 6, 12)), *(86_400 * d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)))
MOST_TICKS = 9
FILLS = {"power": "#1c1c1c", "maintenance": "url(#planned)"}  # any other cause is a failure
FAILED = "url(#failed)"
HATCHES = (
    '<defs><pattern id="failed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="#e9b8a8"/><rect width="3" height="6" fill="#7a1f10"/></pattern>'
    '<pattern id="planned" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">'
    '<rect width="6" height="6" fill="#d5dbe6"/><rect width="2" height="6" fill="#53617a"/></pattern></defs>'
)
LEGEND = {
    "no power": FILLS["power"], "failed or in repair": FAILED, "maintenance": FILLS["maintenance"], "idle": "#e4e4e4", "not there": "#fff",
}  # fmt: skip

Standing = dict[str, list[tuple[float, float, int]]]  # of each row: from, to (seconds), GPUs that stand there


class Shown(Protocol):
    """What is drawn: GPUs of a row held by a job or down by a cause, in seconds."""

    @property
    def row(self) -> str: ...
    @property
    def begins(self) -> float: ...
    @property
    def ends(self) -> float: ...
    @property
    def gpus(self) -> int: ...
    @property
    def what(self) -> str: ...
    @property
    def down(self) -> bool: ...


def colour(job: str) -> str:
    """The same colour for the same job, none as dark as what has no power."""
    code = zlib.crc32(job.encode())
    return f"hsl({code % 360},{40 + code // 360 % 30}%,{52 + code // 10_800 % 22}%)"


def timeline(spans: Sequence[Shown], sizes: dict[str, int], title: str, standing: Standing) -> str:
    """The page. `sizes` gives the GPUs of each row at its largest; rows and spans beyond what a page holds are left out, and said."""
    end = max((s.ends for s in spans), default=1.0)
    begin = min([s.begins for s in spans] + [since for parts in standing.values() for since, *_ in parts[:1]], default=0.0)
    rows, shown = chosen(spans, list(sizes))
    scale = (WIDTH - LEFT - RIGHT) / max(end - begin, 1.0)
    top = tops(rows)
    height = max(top.values(), default=30) + ROW + 10
    parts = [HATCHES, *(f'<text x="0" y="{top[row] + 13}">{html.escape(row)}</text>' for row in rows)]
    parts += [_ground(part, top[row], sizes[row], (begin, end, scale)) for row in rows for part in standing[row]]
    parts += [_box(s, at, top[s.row], sizes[s.row], scale, begin) for s, at in stacked(shown, sizes)]
    parts += [_tick(at, LEFT + (at - begin) * scale, height, end - begin) for at in ticks(begin, end)]
    left = [f"{len(rows):,} of {len(sizes):,} domains, evenly chosen"] if len(rows) < len(sizes) else []
    left += [f"{len(shown):,} of {len(spans):,} spans"] if len(shown) < len(spans) else []
    told = f" Shown: {', '.join(left)}." if left else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{MARK}<title>{html.escape(title)}</title>'
        "<style>body{font:13px sans-serif;margin:16px}text{font-size:11px}svg{max-width:100%;height:auto}"
        ".key{margin-right:14px}.key svg{vertical-align:-2px;margin-right:4px}</style></head><body>"
        f"<h1>{html.escape(title)}</h1><p>One row a domain (a pool that counts GPUs: one row), one colour a job; hover for the job or the "
        f"cause.{told}</p>"
        f"<p>{''.join(_key(name, fill) for name, fill in LEGEND.items())}</p>"
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="timeline of the cluster">{"".join(parts)}</svg></body></html>'
    )


def chosen(spans: Sequence[Shown], rows: Sequence[str]) -> tuple[list[str], list[Shown]]:
    """Rows that a page holds, evenly chosen among all, and their spans: fewer rows where these have too many."""
    many = min(len(rows), MOST_ROWS)
    while True:
        kept = [rows[n * len(rows) // many] for n in range(many)]
        mine = set(kept)
        shown = [s for s in spans if s.row in mine]
        if len(shown) <= MOST_SPANS or many <= FEWEST_ROWS:
            return kept, shown[:MOST_SPANS]
        many = max(many // 2, FEWEST_ROWS)


def tops(rows: Sequence[str]) -> dict[str, int]:
    """Where each row begins: rows of one pool together."""
    found, at = {}, 30
    for n, row in enumerate(rows):
        at += BETWEEN if n and row.rpartition(" ")[0] != rows[n - 1].rpartition(" ")[0] else 0
        found[row] = at
        at += ROW + GAP
    return found


def ticks(begin: float, end: float) -> list[float]:
    """Round times, at most MOST_TICKS of them."""
    step = next((s for s in STEPS if (end - begin) / s < MOST_TICKS), STEPS[-1])
    first = -(-begin // step) * step
    return [first + n * step for n in range(int((end - first) // step) + 1)]


def _tick(at: float, x: float, height: int, span: float) -> str:
    size, unit = (86_400, "d") if span >= 4 * 86_400 else (3_600, "h") if span >= 2 * 3_600 else (60, "min")
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="24" y2="{height - 10}" stroke="#000" stroke-opacity="0.14"/>'
        f'<text x="{x:.0f}" y="18" text-anchor="middle">{at / size:,g} {unit}</text>'
    )


def _key(name: str, fill: str) -> str:
    box = f'<rect x="0.5" y="0.5" width="13" height="11" fill="{fill}" stroke="#bbb"/>'
    return f'<span class="key"><svg width="14" height="12">{box}</svg>{name}</span>'


def _ground(part: tuple[float, float, int], top: int, size: int, frame: tuple[float, float, float]) -> str:
    """What stands there, idle unless a box lies on it."""
    begin, end, scale = frame
    since, until = max(part[0], begin), min(part[1], end)
    if part[2] == 0 or until <= since:
        return ""
    x, wide, tall = LEFT + (since - begin) * scale, (until - since) * scale, ROW * part[2] / size
    return f'<rect x="{x:.1f}" y="{top}" width="{wide:.1f}" height="{tall:.1f}" fill="{LEGEND["idle"]}"/>'


def _box(span: Shown, at: int, top: int, size: int, scale: float, begin: float) -> str:
    x, wide = LEFT + (span.begins - begin) * scale, max((span.ends - span.begins) * scale, 0.3)
    y, tall = top + ROW * at / size, max(ROW * span.gpus / size, 0.5)
    fill = FILLS.get(span.what, FAILED) if span.down else colour(span.what)
    told = html.escape(f"{'down: ' if span.down else 'job '}{span.what}, {span.gpus} GPUs, {span.begins:,.0f} to {span.ends:,.0f} s")
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{fill}"><title>{told}</title></rect>'


def stacked(spans: Sequence[Shown], sizes: dict[str, int]) -> list[tuple[Shown, int]]:
    """Each span with the first GPU of its row that is free for it, so that boxes do not lie on each other while there is room."""
    held: dict[str, list[tuple[float, int, int]]] = {}
    found = []
    for span in spans:
        now = [h for h in held.get(span.row, []) if h[0] > span.begins]
        at = 0
        for _, low, high in sorted(now, key=lambda h: h[1]):
            if at + span.gpus <= low:
                break
            at = max(at, high)
        at = min(at, max(sizes[span.row] - span.gpus, 0))
        held[span.row] = [*now, (span.ends, at, at + span.gpus)]
        found.append((span, at))
    return found
